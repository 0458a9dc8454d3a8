// Logging in without leaving the page: the headless API, and the two forms of the shop's second tab.

const $ = (selector, root = document) => root.querySelector(selector);

/** An answer that is no success: `code` says which (RFC 9457), `message` is for people. */
class Problem extends Error {
  constructor(found, retryAfter) {
    super(found.detail || found.title || "The log-in does not answer. Please try again.");
    this.code = found.code || "unavailable";
    this.attemptsLeft = found.attempts_left;
    this.retryAfter = retryAfter;
  }
}

async function call(path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(`/api/v1/challenges${path}`, {
      method: body ? "POST" : "GET",
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
    });
  } catch {
    throw new Problem({ detail: "No connection. Please try again." });
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(found, answer.headers.get("Retry-After"));
  return found;
}

const seconds = (moment) => Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000));
const NAMES = { whatsapp: "WhatsApp", sms: "SMS" };
const nameOf = (channel) => NAMES[channel] || channel;

function words(problem) {
  switch (problem.code) {
    case "invalid_phone": return "This is no mobile number that we can reach. Please begin with + and the country code.";
    case "country_not_allowed": return "We do not send codes to this country.";
    case "channel_not_allowed": return "The code cannot be sent this way.";
    case "wrong_code": return `This is not the code. ${problem.attemptsLeft === 1 ? "One try is" : `${problem.attemptsLeft} tries are`} left.`;
    case "rate_limited": return problem.retryAfter ? `Too many tries. Please wait ${problem.retryAfter} seconds.` : "Too many tries. Please wait.";
    case "challenge_locked": return "Too many wrong codes. Please begin again.";
    case "challenge_expired": return "The code is too old. Please begin again.";
    case "challenge_consumed":
    case "challenge_not_found": return "This log-in is over. Please begin again.";
    default: return problem.message;
  }
}
const OVER = new Set(["challenge_locked", "challenge_expired", "challenge_consumed", "challenge_not_found"]);

// What becomes of a message: how far it is (the class that login.css knows), in a word, and in a sentence.
const STATUS = {
  queued: ["sending", "on its way", (name) => `Sending by ${name} …`],
  accepted: ["sent", "sent", (name) => `Sent by ${name}`],
  sent: ["sent", "sent", (name) => `Sent by ${name}`],
  delivered: ["delivered", "delivered", (name) => `Delivered by ${name}`],
  read: ["delivered", "read", (name) => `Read in ${name}`],
  failed: ["failed", "not delivered", (name) => `${name} could not deliver it`],
  expired: ["silent", "no news", (name) => `No news from ${name} yet`],
};
const TONES = { sending: "working", sent: "working", delivered: "good", failed: "bad", silent: "warn" };

/** The forms of the second tab. `loggedIn` is called with a token response. */
export function headless(clientId, loggedIn) {
  const phoneForm = $("#phone-form"), codeForm = $("#code-form"), sends = $("#sends");
  let challenge = null, wish = "", polling = 0;

  const complain = (form, problem) => {
    const line = $(".error", form);
    line.textContent = problem ? words(problem) : "";
    line.hidden = !problem;
    $("input", form).setAttribute("aria-invalid", String(Boolean(problem)));
  };

  function begin(problem) {
    clearTimeout(polling);
    challenge = null;
    codeForm.hidden = true;
    phoneForm.hidden = false;
    codeForm.reset();
    complain(phoneForm, problem);
    $("#phone").focus();
  }

  function show(found) {
    challenge = found;
    if (found.state !== "pending") {
      return found.state === "verified" || begin(new Problem({ code: `challenge_${found.state}` }));
    }
    const rows = found.deliveries.map((delivery) => {
      const [stage, word, sentence] = STATUS[delivery.status] || STATUS.queued;
      const row = document.createElement("li"), name = document.createElement("b"), state = document.createElement("span");
      row.className = stage;
      name.textContent = nameOf(delivery.channel);
      state.textContent = word;
      row.append(name, " ", state);
      return { row, stage, channel: delivery.channel, headline: sentence(nameOf(delivery.channel)) };
    });
    const last = rows.at(-1) || { stage: "sending", channel: found.channel, headline: "Sending …" };
    $("#length").textContent = found.code_length;
    $("#masked").textContent = found.phone_masked;
    if ($("#headline").textContent !== last.headline) $("#headline").textContent = last.headline;
    $("#live").className = `live ${TONES[last.stage]}`;
    $("#live").dataset.stage = last.stage;
    $("#live-icon").className = `i channel ${last.channel}`;
    $("#rows").hidden = rows.length < 2;
    $("#rows").replaceChildren(...rows.map(({ row }) => row));
    tick();
    clearTimeout(polling);
    polling = setTimeout(poll, 1000);
  }

  /** A button for each channel. `resend_at` is that of the last one used; another one may be tried at once. */
  function tick() {
    if (!challenge) return;
    while (sends.children.length < challenge.channels.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      sends.append(button);
    }
    challenge.channels.forEach((channel, index) => {
      const button = sends.children[index], wait = channel === challenge.channel ? seconds(challenge.resend_at) : 0;
      const used = challenge.deliveries.some((delivery) => delivery.channel === channel);
      const text = used ? `Send again by ${nameOf(channel)}` : `Send by ${nameOf(channel)} instead`;
      button.value = channel;
      button.disabled = wait > 0;
      button.textContent = wait ? `${text} in ${wait} s` : text;
    });
  }
  setInterval(tick, 500);

  async function poll() {
    const asked = challenge;
    try {
      const found = await call(`/${asked.id}`);
      if (challenge === asked) show(found);
    } catch (problem) {
      if (challenge !== asked) return;
      if (OVER.has(problem.code)) begin(problem);
      else polling = setTimeout(poll, 3000);
    }
  }

  /** One request for one press: `action` runs while the form's buttons rest. */
  async function once(form, action) {
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    complain(form, null);
    try {
      await action();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (OVER.has(problem.code)) begin(problem);
      else {
        complain(form, problem);
        $("input", form).select();
      }
    } finally {
      delete form.dataset.busy;
    }
  }

  phoneForm.addEventListener("input", () => { wish = ""; });
  phoneForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const channel = event.submitter?.value;
    wish ||= crypto.randomUUID(); // the same wish, pressed twice or sent again after an error, is one message
    once(phoneForm, async () => {
      const body = { client_id: clientId, phone: $("#phone").value, ...(channel && { channel }) };
      const found = await call("", body, { "Idempotency-Key": `${wish}${channel || ""}` });
      wish = "";
      phoneForm.hidden = true;
      codeForm.hidden = false;
      sends.replaceChildren();
      show(found);
      $("#code").focus();
    });
  });

  sends.addEventListener("click", (event) => {
    const channel = event.target.closest("button")?.value;
    if (channel) once(codeForm, async () => show(await call(`/${challenge.id}/send`, { channel })));
    $("#code").focus();
  });

  codeForm.addEventListener("input", () => {
    if ($("#code").value.replace(/\D/g, "").length === challenge.code_length) codeForm.requestSubmit();
  });
  codeForm.addEventListener("submit", (event) => {
    event.preventDefault();
    once(codeForm, async () => {
      const tokens = await call(`/${challenge.id}/verify`, { code: $("#code").value });
      clearTimeout(polling);
      challenge = null;
      codeForm.hidden = true;
      phoneForm.hidden = false;
      codeForm.reset();
      await loggedIn(tokens);
    });
  });

  $("#again").addEventListener("click", () => begin());
}
