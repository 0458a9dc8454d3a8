// The simulated phone: shows what a handset has received and sets how it behaves. Every address is relative.

const POLL_MS = 700;
const COPIED_MS = 1600;

const byId = (id) => document.getElementById(id);
const state = { phone: null, following: true, channel: "whatsapp", seen: new Set(), read: new Set(), shown: "" };

async function api(path, { method = "GET", body } = {}) {
  const response = await fetch(`api/${path}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
    cache: "no-store",
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}

// Before any number is known: how the next one behaves that gets a message.
const handsetPath = () => (state.phone === null ? "handsets/next" : `handsets/${encodeURIComponent(state.phone)}`);

// Number chooser

function choosePhone(phone, { following }) {
  state.following = following;
  byId("follow").hidden = following;
  byId("phone-note").textContent = following ? "Follows the phone that was messaged last." : "Stays on this number.";
  if (phone === state.phone) return;
  state.phone = phone;
  state.seen.clear();
  state.read.clear();
  state.shown = "";
  if (document.activeElement !== byId("phone")) byId("phone").value = phone ?? "";
}

function listRecent(handsets) {
  const options = handsets.map((handset) => Object.assign(document.createElement("option"), { value: handset.phone }));
  byId("recent").replaceChildren(...options);
}

// Messages

function boldParts(text) {
  return text.split(/\*([^*\n]+)\*/).map((part, index) => {
    if (index % 2 === 0) return document.createTextNode(part);
    return Object.assign(document.createElement("strong"), { textContent: part });
  });
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function copyButton(message) {
  const button = element("button", "copy");
  button.type = "button";
  button.innerHTML =
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/></svg>';
  const label = element("span", "", message.button ?? `Copy ${message.code}`);
  button.append(label);
  button.addEventListener("click", async () => {
    await copyText(message.code);
    label.textContent = "Copied";
    window.setTimeout(() => (label.textContent = message.button ?? `Copy ${message.code}`), COPIED_MS);
  });
  return button;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // Over plain http on another host than localhost there is no clipboard API, and it may be denied: the older way.
  }
  const field = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function messageItem(message) {
  const isWhatsApp = message.channel === "whatsapp";
  const [words, ...footer] = isWhatsApp ? message.text.split("\n") : [message.text];
  const content = element("div", "words", ...(isWhatsApp ? boldParts(words) : [words]));
  content.dir = "auto";
  const item = element("li", "message", content);
  if (footer.length) item.append(element("div", "footer", footer.join("\n")));
  const time = new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  item.append(element("div", "meta", time));
  if (message.code) item.append(copyButton(message));
  item.dataset.id = message.id;
  if (!state.seen.has(message.id)) item.classList.add("fresh");
  return item;
}

function showMessages(messages) {
  const arrived = messages.filter((message) => !state.seen.has(message.id));
  const newest = messages.at(-1);
  // Open the app that the newest message belongs to, as a tap on its notification would.
  if (newest && arrived.includes(newest)) selectChannel(newest.channel);
  const fingerprint = `${state.phone} ${state.channel} ${messages.map((message) => message.id).join(" ")}`;
  if (fingerprint === state.shown) return;
  state.shown = fingerprint;
  const mine = messages.filter((message) => message.channel === state.channel);
  byId("messages").replaceChildren(...mine.map(messageItem));
  byId("messages").hidden = mine.length === 0;
  byId("empty").hidden = mine.length > 0;
  byId("messages").scrollTop = byId("messages").scrollHeight;
  mine.forEach((message) => state.read.add(message.id));
  showPeer(mine.at(-1));
  for (const channel of ["whatsapp", "sms"]) {
    const unread = messages.filter((message) => message.channel === channel && !state.read.has(message.id)).length;
    byId(`badge-${channel}`).textContent = unread;
    byId(`badge-${channel}`).hidden = unread === 0;
  }
  messages.forEach((message) => state.seen.add(message.id));
}

function showPeer(message) {
  const isWhatsApp = state.channel === "whatsapp";
  const name = message?.from ?? (isWhatsApp ? "WhatsApp" : "Messages");
  byId("peer-name").textContent = name;
  byId("avatar").textContent = /^\p{L}/u.test(name) ? [...name][0].toUpperCase() : "#";
  byId("peer-note").textContent = isWhatsApp ? "Business account" : "Text message";
}

// Apps

function selectChannel(channel) {
  state.channel = channel;
  byId("chat").dataset.channel = channel;
  byId("chat").setAttribute("aria-labelledby", `tab-${channel}`);
  for (const name of ["whatsapp", "sms"]) {
    byId(`tab-${name}`).setAttribute("aria-selected", String(name === channel));
    byId(`tab-${name}`).tabIndex = name === channel ? 0 : -1;
  }
}

for (const channel of ["whatsapp", "sms"]) {
  const other = channel === "whatsapp" ? "sms" : "whatsapp";
  byId(`tab-${channel}`).addEventListener("click", () => {
    selectChannel(channel);
    refresh();
  });
  byId(`tab-${channel}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    selectChannel(other);
    byId(`tab-${other}`).focus();
    refresh();
  });
}

// Switches

function showSwitches(handset, faults) {
  byId("not-on-whatsapp").checked = handset.whatsapp.startsWith("not_on_whatsapp");
  byId("offline").checked = handset.whatsapp === "silent";
  byId("provider-down").checked = faults.whatsapp_outage !== null;
  const offline = handset.whatsapp === "silent";
  byId("network").textContent = offline ? "No data" : "5G";
  document.querySelector(".handset").classList.toggle("no-data", offline);
}

function setMode(input, mode) {
  input.addEventListener("change", () =>
    guarded(async () => {
      await api(handsetPath(), { method: "PUT", body: { whatsapp: input.checked ? mode : "delivered" } });
    }),
  );
}

setMode(byId("not-on-whatsapp"), "not_on_whatsapp");
setMode(byId("offline"), "silent");
byId("provider-down").addEventListener("change", (event) =>
  guarded(() => api("faults", { method: "PUT", body: { whatsapp_outage: event.target.checked ? "refuse" : null } })),
);

async function guarded(action) {
  let problem = "";
  try {
    await action();
  } catch (error) {
    problem = error.message;
  }
  await refresh();
  showProblem(problem);
}

function showProblem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

// Life

async function refresh() {
  try {
    const [handsets, faults] = await Promise.all([api("handsets"), api("faults")]);
    listRecent(handsets);
    const latest = handsets.find((handset) => handset.last_message_at !== null) ?? handsets[0];
    if (state.following && latest) choosePhone(latest.phone, { following: true });
    showSwitches(await api(handsetPath()), faults);
    showMessages(state.phone === null ? [] : await api(`${handsetPath()}/messages`));
    if (byId("problem").textContent.startsWith("The simulator")) showProblem("");
  } catch {
    showProblem("The simulator does not answer. It is asked again by itself.");
  }
}

byId("chooser").addEventListener("submit", (event) => {
  event.preventDefault();
  const digits = byId("phone").value.replace(/[^\d]/g, "");
  if (!/^[1-9]\d{6,14}$/.test(digits)) {
    byId("phone-note").textContent = "Write the number with its country code, like +852 5123 4567.";
    return;
  }
  choosePhone(`+${digits}`, { following: false });
  refresh();
});

byId("follow").addEventListener("click", () => {
  choosePhone(state.phone, { following: true });
  refresh();
});

function tick() {
  byId("clock").textContent = new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

async function live() {
  tick();
  if (!document.hidden) await refresh();
  window.setTimeout(live, POLL_MS);
}

live();
