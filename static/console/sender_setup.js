// The set-up page of a sender: copy buttons, and the part that changes by itself. Without this, reloading does it.
(() => {
  "use strict";

  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", () => {
      field.select();
      navigator.clipboard?.writeText(field.value);
    });
  }

  const live = document.getElementById("live");
  const started = Date.now();
  const EVERY = 2000;
  const REVIEW_EVERY = 20000;
  const LONGEST = 10 * 60 * 1000;
  let reviewed = started;

  // A template in review: ask Meta again, as the button does.
  const review = async () => {
    const form = document.querySelector("#templates form");
    if (!form || !live.querySelector("[data-pending]") || Date.now() - reviewed < REVIEW_EVERY) return;
    reviewed = Date.now();
    await fetch(location.pathname, { method: "POST", body: new URLSearchParams({
      csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value, action: "check", step: "templates",
    }) });
  };

  const refresh = async () => {
    if (Date.now() - started > LONGEST) return;
    try {
      if (!document.hidden) {
        await review();
        const answer = await fetch(live.dataset.live, { redirect: "error" });
        if (answer.ok) {
          live.innerHTML = await answer.text();
          for (const part of live.querySelectorAll("[data-for]")) {
            document.getElementById(part.dataset.for).replaceChildren(...part.children);
          }
        }
      }
    } catch {
      // The next time, perhaps.
    }
    setTimeout(refresh, EVERY);
  };
  setTimeout(refresh, EVERY);
})();
