// The sample shop: a cart, and people who log in over OpenID Connect (oidc-client-ts) or by the headless API.
import { headless } from "./headless.js";

const $ = (selector, root = document) => root.querySelector(selector);
const make = (tag, attributes = {}, ...content) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
};
const clientId = document.body.dataset.clientId;
const here = `${location.origin}${location.pathname}`;

// The cart -----------------------------------------------------------------------------------------

const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
const price = (cents) => money.format(cents / 100);
const goods = new Map([...document.querySelectorAll(".item")].map((item) => [item.dataset.id, item.dataset]));
const cart = new Map(JSON.parse(sessionStorage.getItem("shop.cart") || "[]")); // survives the redirect

function put(id, change) {
  const count = (cart.get(id) || 0) + change;
  if (count > 0) cart.set(id, count);
  else cart.delete(id);
  sessionStorage.setItem("shop.cart", JSON.stringify([...cart]));
  $("#cart-news").textContent = `${goods.get(id).name}: ${Math.max(0, count)} in the cart`;
  showCart();
}

function showCart() {
  const lines = [...cart].filter(([id]) => goods.has(id)).map(([id, count]) => {
    const { name } = goods.get(id);
    const step = (sign, label, change) => {
      const button = make("button", { type: "button", class: "small", "aria-label": `${label} ${name}` }, sign);
      button.addEventListener("click", () => {
        put(id, change);
        const next = [...$("#lines").querySelectorAll("button")].find((other) => other.ariaLabel === button.ariaLabel);
        (next || $("#cart")).focus();
      });
      return button;
    };
    return make("li", {}, make("span", {}, name), step("−", "One less:", -1), make("output", {}, String(count)), step("+", "One more:", 1));
  });
  const counted = [...cart].reduce((all, [, count]) => all + count, 0);
  const cents = [...cart].reduce((all, [id, count]) => all + count * Number(goods.get(id)?.cents || 0), 0);
  $("#lines").replaceChildren(...lines);
  $("#count").textContent = counted;
  $("#empty").hidden = counted > 0;
  $("#total").hidden = counted === 0;
  $("#total b").textContent = price(cents);
  $("#order").disabled = counted === 0;
  if (counted) $("#thanks").textContent = "";
}

for (const item of document.querySelectorAll(".item")) {
  $("[data-price]", item).textContent = price(Number(item.dataset.cents));
  $("button", item).addEventListener("click", () => put(item.dataset.id, 1));
}

// Who is logged in -----------------------------------------------------------------------------------

const manager = new oidc.UserManager({
  authority: location.origin,
  client_id: clientId,
  redirect_uri: here,
  post_logout_redirect_uri: here,
  scope: "openid phone",
  filterProtocolClaims: false, // a sample shows all of them
  revokeTokensOnSignout: true,
  revokeTokenTypes: ["refresh_token"], // which revokes all tokens of this login
});
let user = null, renewed = 0;

/** The claims of an ID token. Its signature need not be checked: it came from the token endpoint over TLS. */
function claimsOf(idToken) {
  const part = idToken.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (sign) => sign.charCodeAt(0))));
}

function complain(error) {
  $("#problem").textContent = error ? error.error_description || error.message : "";
  $("#problem").hidden = !error;
}

function show(found) {
  user = found && !(found.expired && !found.refresh_token) ? found : null;
  $("#signed-out").hidden = Boolean(user);
  $("#signed-in").hidden = !user;
  if (!user) return;
  const claims = claimsOf(user.id_token);
  $("#number").textContent = claims.phone_number;
  $("#claims").replaceChildren(...Object.entries(claims).map(([name, value]) => {
    const time = ["exp", "iat", "auth_time", "updated_at"].includes(name);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return make("div", {}, make("dt", {}, name),
      make("dd", {}, text, ...(time ? [" ", make("small", {}, new Date(value * 1000).toLocaleString())] : [])));
  }));
  $("#renewed").textContent = renewed ? `Refreshed ${renewed === 1 ? "once" : `${renewed} times`}: both tokens are new.` : "";
  tick();
}

function tick() {
  if (!user) return;
  const left = Math.max(0, user.expires_in), two = (number) => String(number).padStart(2, "0");
  $("#expiry").textContent = `The access token is good for ${Math.floor(left / 60)}:${two(left % 60)}.`;
}
setInterval(tick, 1000);

/** After a login: a screen reader continues at the new heading. */
function welcome() {
  $("#hello").focus();
  $("#hello").scrollIntoView({ block: "nearest" });
}

async function start() {
  manager.events.addSilentRenewError(() => show(null));
  const answered = /[?&](code|error)=/.test(location.search);
  try {
    show(answered ? await manager.signinRedirectCallback() : await manager.getUser());
    if (answered) welcome();
  } catch (error) {
    show(null);
    complain(error);
  } finally {
    if (answered) history.replaceState({}, "", here); // a reload must not use the code again
  }
}

async function press(button, action) {
  button.disabled = true;
  complain(null);
  try {
    await action();
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
  }
}
const onPress = (selector, action) => $(selector).addEventListener("click", (event) => press(event.currentTarget, action));

onPress("#leave", () => manager.signinRedirect());
onPress("#leave-for-good", () => manager.signoutRedirect());
onPress("#refresh", async () => {
  const before = user;
  try {
    const found = await manager.signinSilent();
    if (found.access_token !== before.access_token && found.refresh_token !== before.refresh_token) renewed += 1;
    show(found);
  } catch (error) {
    if (error.error === "invalid_grant") { // logged out elsewhere
      await manager.removeUser();
      show(null);
    }
    throw error;
  }
});
$("#order").addEventListener("click", () => {
  for (const id of [...cart.keys()]) put(id, -cart.get(id));
  $("#thanks").textContent = `Thank you! We will call ${claimsOf(user.id_token).phone_number} when it is ready.`;
});

// The headless API gives the same tokens, so everything after the login is the same.
headless(clientId, async (tokens) => {
  const found = new oidc.User({ ...tokens, profile: claimsOf(tokens.id_token) });
  found.expires_in = tokens.expires_in;
  await manager.storeUser(found);
  renewed = 0;
  show(found);
  welcome();
});

// The tabs: arrow keys move between them -------------------------------------------

const tabs = [...document.querySelectorAll("[role=tab]")];
function choose(chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
  }
}
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
}

showCart();
start();
