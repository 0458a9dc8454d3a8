"use strict";
// The login pages work without this file. It adds one submit per form, autofill of the code, and the live state.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const make = (tag, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text; // an unchanged live region stays quiet
  };

  // One submit per form ---------------------------------------------------------------------------
  let submitted = false;
  const buttons = () => document.querySelectorAll("form.once button");
  for (const form of document.querySelectorAll("form.once")) {
    form.addEventListener("submit", (event) => {
      if (submitted) return event.preventDefault();
      submitted = true;
      const pressed = event.submitter || $("button", form);
      pressed.dataset.text = pressed.textContent;
      // Later, because a disabled button is not sent with the form.
      setTimeout(() => {
        pressed.textContent = form.dataset.busy;
        for (const button of buttons()) button.disabled = true;
      });
    });
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    submitted = false; // restored by the back button: enable everything again
    for (const button of buttons()) {
      button.disabled = false;
      if (button.dataset.text) button.textContent = button.dataset.text;
    }
  });

  // A countdown on a disabled button -------------------------------------------
  const two = (n) => String(n).padStart(2, "0");
  const clock = (s) => (s < 3600 ? "" : `${Math.floor(s / 3600)}:`) +
    `${s < 3600 ? Math.floor(s / 60) : two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  for (const button of document.querySelectorAll("button[data-wait]")) {
    const until = Date.now() + button.dataset.wait * 1000, label = button.textContent;
    const go = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (submitted) return;
      if (left <= 0) free();
      else setText(button, `${label} · ${clock(left)}`);
    };
    const free = () => {
      clearInterval(timer);
      button.disabled = false;
      setText(button, label);
    };
    const timer = setInterval(go, 500);
    button.disabled = true;
    go();
    // The wait is for this number only.
    for (const field of button.form.querySelectorAll("#phone, #country")) {
      for (const kind of ["input", "change"]) field.addEventListener(kind, free);
    }
  }

  // Digits of any script ---------------------------------------------------------------------------
  const isDigit = (point) => /\p{Nd}/u.test(String.fromCodePoint(point));
  function digits(text) {
    return [...text.normalize("NFKC")].map((character) => {
      const point = character.codePointAt(0);
      if (!isDigit(point)) return "";
      let zero = point;
      while (point - zero < 9 && isDigit(zero - 1)) zero -= 1;
      return point - zero;
    }).join("");
  }

  // The code ---------------------------------------------------------------------------------------
  function codeField(form) {
    const input = $("#code"), length = Number(input.dataset.length), otp = new AbortController();
    const submitWhenFull = (text) => {
      if (submitted || text.length !== length) return;
      input.value = text;
      form.requestSubmit();
    };
    input.addEventListener("input", (event) => {
      if (!String(event.inputType).startsWith("delete")) submitWhenFull(digits(input.value));
    });
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text") || "";
      const whole = digits(text);
      // A pasted message may contain other numbers: the code is the one of the right length.
      const parts = new Set(text.split(/[^\p{Nd}]+/u).map(digits).filter((part) => part.length === length));
      const code = whole.length === length ? whole : [...parts][0];
      if (!code || parts.size > 1) return; // ambiguous: the server explains it
      event.preventDefault();
      submitWhenFull(code);
    });
    form.addEventListener("submit", () => otp.abort());
    if ("OTPCredential" in window) {
      navigator.credentials.get({otp: {transport: ["sms"]}, signal: otp.signal})
        .then((credential) => credential && submitWhenFull(digits(credential.code)))
        .catch(() => {}); // refused or aborted: the person types
    }
  }

  // The live state ---------------------------------------------------------------------------------
  function liveState(box) {
    const began = Date.now(), sends = $("#sends"), sendForm = $("#send-form"), sendError = $("#send-error");
    const countdown = $("#countdown");
    let etag = box.dataset.etag, failures = 0, over = false, timer = 0;

    // Countdowns run by this device's clock from seconds that the server counted.
    const arm = (element, seconds) => { element.dataset.until = Date.now() + seconds * 1000; };
    const left = (element) => Math.max(0, Math.ceil((element.dataset.until - Date.now()) / 1000));
    function tick() {
      if (!countdown.hidden) setText(countdown, countdown.dataset.text.replace("{time}", clock(left(countdown))));
      for (const button of sends.children) {
        const seconds = left(button);
        setText(button, seconds ? button.dataset.waiting.replace("{time}", clock(seconds)) : button.dataset.label);
        button.disabled = seconds > 0 || sendForm.dataset.busy === "1";
      }
    }
    $("#check").remove(); // the script polls instead
    // A URL without a reference means the browser's latest login: once another tab starts one, this tab needs its own.
    const pin = () => history.replaceState(null, "", box.dataset.page);
    if ("pinned" in box.dataset) pin();
    arm(countdown, Number(countdown.dataset.seconds));
    for (const button of sends.children) arm(button, Number(button.dataset.seconds));

    function render(state) {
      const stage = state.rows.find((row) => row.channel === state.icon)?.stage || "";
      box.classList.remove("working", "good", "warn", "bad");
      box.classList.add(state.tone);
      box.dataset.stage = stage;
      $("#live-icon").className = `i channel ${state.icon}`;
      setText($("#headline"), state.headline);
      setText($("#detail"), state.detail);
      countdown.hidden = !state.countdown;
      countdown.dataset.text = state.countdown;
      arm(countdown, state.countdown_seconds);
      const rows = $("#rows");
      rows.hidden = state.rows.length < 2;
      rows.replaceChildren(...state.rows.map((row) => {
        const line = make("li", {class: row.stage});
        line.append(make("span", {class: `i ${row.channel}`, "aria-hidden": "true"}), " ", make("b", {}, row.name), " ",
          make("span", {}, row.label));
        return line;
      }));
      state.sends.forEach((send, index) => {
        const button = sends.children[index] || sends.appendChild(make("button", {class: "quiet", name: "channel"}));
        button.value = send.choice;
        button.dataset.label = send.label;
        button.dataset.waiting = send.waiting;
        arm(button, send.seconds);
      });
      while (sends.children.length > state.sends.length) sends.lastChild.remove();
      tick();
      if (!state.is_latest) pin();
      // Ended, or verified in another tab: the server redirects to where this tab leads.
      if (state.over && !submitted) location.replace(box.dataset.page);
      over = state.over;
    }

    function later() {
      clearTimeout(timer);
      if (over || document.hidden) return;
      const settled = box.dataset.stage === "delivered" ? 5000 : 3000;
      const interval = Date.now() - began < 60000 ? 1000 : settled;
      timer = setTimeout(poll, failures ? Math.min(30000, 1000 * 2 ** failures) : interval);
    }
    async function poll() {
      try {
        const headers = {Accept: "application/json", ...(etag && {"If-None-Match": etag})};
        const answer = await fetch(box.dataset.url, {headers, cache: "no-store", signal: AbortSignal.timeout?.(8000)});
        failures = answer.ok || answer.status === 304 ? 0 : failures + 1;
        if (answer.status === 200) {
          const state = await answer.json();
          etag = answer.headers.get("ETag");
          render(state);
        } else if (answer.status === 404 && !submitted) {
          over = true;
          location.replace(box.dataset.page); // the login continued or ended in another tab
        }
      } catch {
        failures += 1;
      }
      later();
    }

    sendForm.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (sendForm.dataset.busy === "1") return;
      const body = new FormData(sendForm);
      body.set("channel", event.submitter?.value || "");
      sendForm.dataset.busy = "1";
      tick();
      let error = "";
      try {
        const answer = await fetch(sendForm.action, {method: "POST", body, headers: {Accept: "application/json"}});
        const state = await answer.json();
        error = state.error;
        if (state.rows) render(state);
      } catch {
        error = sendForm.dataset.offline;
      }
      sendForm.dataset.busy = "";
      sendError.hidden = !error;
      setText(sendError, error);
      tick();
      $("#code").focus();
      later();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) pin(); // the tab may be reloaded later
      later();
    });
    setInterval(tick, 500);
    tick();
    later();
  }

  // ------------------------------------------------------------------------------------------------
  const form = $("#code-form");
  if (form) {
    codeField(form);
    liveState($("#live"));
  }
})();
