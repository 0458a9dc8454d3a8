// Logging in without leaving the page: the headless API, and the two forms of the shop's second tab.

const $ = (selector, root = document) => root.querySelector(selector);

/** An error answer (RFC 9457): `code` is for programs, `message` for people. */
class Problem extends Error {
  constructor(body, retryAfter) {
    super(body.detail || body.title || "The login service does not answer. Please try again.");
    this.code = body.code || "unavailable";
    this.attemptsLeft = body.attempts_left;
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
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(data, answer.headers.get("Retry-After"));
  return data;
}

const seconds = (moment) => Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000));
const NAMES = { whatsapp: "WhatsApp", sms: "SMS" };
const nameOf = (channel) => NAMES[channel] || channel;

function textOf(problem) {
  switch (problem.code) {
    case "invalid_phone": return "We cannot reach this number. Please enter a mobile number that begins with + and the country code.";
    case "country_not_allowed": return "We do not send codes to this country.";
    case "channel_not_allowed": return "The code cannot be sent this way.";
    case "wrong_code": return `This is not the code. ${problem.attemptsLeft === 1 ? "One try is" : `${problem.attemptsLeft} tries are`} left.`;
    case "rate_limited": return problem.retryAfter ? `Too many tries. Please wait ${problem.retryAfter} seconds.` : "Too many tries. Please wait.";
    case "challenge_locked": return "Too many wrong codes. Please start again.";
    case "challenge_expired": return "The code has expired. Please start again.";
    case "challenge_consumed":
    case "challenge_not_found": return "This login has ended. Please start again.";
    default: return problem.message;
  }
}
const OVER = new Set(["challenge_locked", "challenge_expired", "challenge_consumed", "challenge_not_found"]);

// The state of a message: its class in login.css, one word, and a sentence.
const STATUS = {
  queued: ["sending", "on its way", (name) => `Sending by ${name} …`],
  accepted: ["sent", "sent", (name) => `Sent by ${name}`],
  sent: ["sent", "sent", (name) => `Sent by ${name}`],
  delivered: ["delivered", "delivered", (name) => `Delivered by ${name}`],
  read: ["delivered", "read", (name) => `Read in ${name}`],
  failed: ["failed", "not delivered", (name) => `${name} could not deliver it`],
  expired: ["silent", "no answer", (name) => `No answer from ${name} yet`],
};
const TONES = { sending: "working", sent: "working", delivered: "good", failed: "bad", silent: "warn" };

/** The forms of the second tab. `loggedIn` is called with a token response. */
export function headless(clientId, loggedIn) {
  const phoneForm = $("#phone-form"), codeForm = $("#code-form"), sends = $("#sends");
  let challenge = null, idempotencyKey = "", polling = 0;

  const showProblem = (form, problem) => {
    const line = $(".error", form);
    line.textContent = problem ? textOf(problem) : "";
    line.hidden = !problem;
    $("input", form).setAttribute("aria-invalid", String(Boolean(problem)));
  };

  function startOver(problem) {
    clearTimeout(polling);
    challenge = null;
    codeForm.hidden = true;
    phoneForm.hidden = false;
    codeForm.reset();
    showProblem(phoneForm, problem);
    $("#phone").focus();
  }

  function show(state) {
    challenge = state;
    if (state.state !== "pending") {
      return state.state === "verified" || startOver(new Problem({ code: `challenge_${state.state}` }));
    }
    const rows = state.deliveries.map((delivery) => {
      const [stage, word, sentence] = STATUS[delivery.status] || STATUS.queued;
      const row = document.createElement("li"), name = document.createElement("b"), status = document.createElement("span");
      row.className = stage;
      name.textContent = nameOf(delivery.channel);
      status.textContent = word;
      row.append(name, " ", status);
      return { row, stage, channel: delivery.channel, headline: sentence(nameOf(delivery.channel)) };
    });
    const last = rows.at(-1) || { stage: "sending", channel: state.channel, headline: "Sending …" };
    $("#length").textContent = state.code_length;
    $("#masked").textContent = state.phone_masked;
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

  /** A button for each channel. `resend_at` belongs to the one in use; another one may be tried at once. */
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
    const polled = challenge;
    try {
      const state = await call(`/${polled.id}`);
      if (challenge === polled) show(state);
    } catch (problem) {
      if (challenge !== polled) return;
      if (OVER.has(problem.code)) startOver(problem);
      else polling = setTimeout(poll, 3000);
    }
  }

  /** One request per press: nothing else is sent while `action` runs. */
  async function once(form, action) {
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    showProblem(form, null);
    try {
      await action();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (OVER.has(problem.code)) startOver(problem);
      else {
        showProblem(form, problem);
        $("input", form).select();
      }
    } finally {
      delete form.dataset.busy;
    }
  }

  phoneForm.addEventListener("input", () => { idempotencyKey = ""; });
  phoneForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const channel = event.submitter?.value;
    idempotencyKey ||= crypto.randomUUID(); // a second press, or a retry after an error, sends no second message
    once(phoneForm, async () => {
      const body = { client_id: clientId, phone: $("#phone").value, ...(channel && { channel }) };
      const state = await call("", body, { "Idempotency-Key": `${idempotencyKey}${channel || ""}` });
      idempotencyKey = "";
      phoneForm.hidden = true;
      codeForm.hidden = false;
      sends.replaceChildren();
      show(state);
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

  $("#again").addEventListener("click", () => startOver());
}
