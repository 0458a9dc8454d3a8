"use strict";
// The login pages work without this file. It adds: country search, one submit per form, autofill, and the live state.
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
      // Later: a button that is disabled at once would be missing from what is sent.
      setTimeout(() => {
        pressed.textContent = form.dataset.busy;
        for (const button of buttons()) button.disabled = true;
      });
    });
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    submitted = false; // back from the next page: everything can be pressed again
    for (const button of buttons()) {
      button.disabled = false;
      if (button.dataset.text) button.textContent = button.dataset.text;
    }
  });

  // Country search: a combobox in front of the real select ----------------------------------------
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  function combobox(select) {
    const label = $(`label[for="${select.id}"]`);
    // People search for a country by its English name as well; browsers know those.
    const english = window.Intl?.DisplayNames && new Intl.DisplayNames(["en"], {type: "region"});
    const items = [...select.options].filter((option) => option.value).map((option) => ({
      value: option.value, text: option.text.trim(), code: /\+(\d+)$/.exec(option.text.trim())?.[1],
      key: fold(`${option.text} ${option.value} ${english ? english.of(option.value) : ""}`),
    }));
    const box = make("div", {class: "combo"});
    const input = make("input", {
      placeholder: select.querySelector('option[value=""]')?.text || "", id: "country-search", type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": "country-list",
      "aria-autocomplete": "list", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    });
    const list = make("ul", {id: "country-list", role: "listbox", "aria-label": label.textContent, hidden: ""});
    let shown = [], active = -1;

    const current = () => items.find((item) => item.value === select.value);
    const restore = () => { input.value = current()?.text || ""; };
    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    };
    const choose = (item) => {
      select.value = item.value;
      restore();
      close();
    };
    const mark = (index) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = index;
      const option = shown.length ? list.children[active] : null;
      if (!option) return;
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({block: "nearest"});
      input.setAttribute("aria-activedescendant", option.id);
    };
    const open = (typed) => {
      const words = fold(typed).split(/[\s()+]+/).filter(Boolean);
      shown = items.filter((item) => words.every((word) => item.key.includes(word)));
      if (words.length) {
        // Names and codes that start with the word first: "in" is India before China.
        const rank = (item) => (item.key.startsWith(words[0]) || item.code === words[0] ? 0 : 1);
        shown.sort((a, b) => rank(a) - rank(b));
      }
      list.replaceChildren(...shown.map((item, index) =>
        make("li", {role: "option", id: `country-${index}`, "aria-selected": "false"}, item.text)));
      if (!shown.length) list.append(make("li", {role: "presentation"}, select.dataset.none));
      list.hidden = false;
      active = -1;
      input.setAttribute("aria-expanded", "true");
      mark(words.length ? 0 : Math.max(0, shown.indexOf(current())));
    };

    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => list.hidden && open(""));
    input.addEventListener("input", () => open(input.value));
    input.addEventListener("blur", () => { restore(); close(); });
    input.addEventListener("keydown", (event) => {
      const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
      if (step) {
        event.preventDefault();
        if (list.hidden) open("");
        else if (shown.length) mark((active + step + shown.length) % shown.length);
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        if (shown[active]) choose(shown[active]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        restore();
        close();
      }
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const index = [...list.children].indexOf(event.target);
      if (!shown[index]) return;
      choose(shown[index]);
      $("#phone").focus();
    });

    label.htmlFor = input.id;
    // Out of sight but in place: the browser may fill it in, and scripts may choose from it.
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    select.addEventListener("change", restore);
    select.before(box);
    box.append(input, list, select);
    restore();

    // A typed +code moves the country along; the server reads the +code itself and does not depend on this.
    $("#phone").addEventListener("input", (event) => {
      const typed = event.target.value.trim();
      if (!typed.startsWith("+")) return;
      const number = digits(typed);
      const fits = (item) => item.code && number.startsWith(item.code);
      const best = Math.max(0, ...items.filter(fits).map((item) => item.code.length));
      const now = current();
      if (!best || (now && fits(now) && now.code.length === best)) return;
      choose(items.find((item) => fits(item) && item.code.length === best));
    });
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
      // A pasted message may hold other numbers: the code is the one of the right length.
      const parts = text.split(/[^\p{Nd}]+/u).map(digits).filter((part) => part.length === length);
      const code = whole.length === length ? whole : parts[0];
      if (!code) return;
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
    const clock = (s) => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
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
    $("#check").remove(); // from here on the page looks by itself
    arm(countdown, Number(countdown.dataset.seconds));
    for (const button of sends.children) arm(button, Number(button.dataset.seconds));

    function render(state) {
      const stage = state.rows.find((row) => row.channel === state.icon)?.stage || "";
      box.className = `live ${state.tone}`;
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
      if (state.over && state.state !== "verified" && !submitted) location.replace(location.pathname);
      over = state.over;
    }

    function later() {
      clearTimeout(timer);
      if (over || document.hidden) return;
      const settled = box.dataset.stage === "delivered" ? 5000 : 3000;
      const pace = Date.now() - began < 60000 ? 1000 : settled;
      timer = setTimeout(poll, failures ? Math.min(30000, 1000 * 2 ** failures) : pace);
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
          location.replace(location.pathname); // this browser's login went on or ended elsewhere
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
    document.addEventListener("visibilitychange", later);
    setInterval(tick, 500);
    tick();
    later();
  }

  // ------------------------------------------------------------------------------------------------
  const select = $("select#country"), form = $("#code-form");
  if (select && select.options.length > 8) combobox(select);
  if (form) {
    codeField(form);
    liveState($("#live"));
  }
})();
