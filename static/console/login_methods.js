"use strict";
// Login methods: hides what does not apply, and keeps the help of the growing waits to the value in the field.
// Without this file everything is visible, and the server ignores what does not apply.
(() => {
  const field = (name) => document.getElementById(`id_${name}`);
  // The row of the form that holds a field: a direct child of its fieldset's rows.
  const rowOf = (element) => element.closest(".field-row, .form-row") || element.closest("fieldset > div > div");

  function hideFallback() {
    const mode = field("verify_phone_by"), enabled = field("fallback_enabled"), wait = field("fallback_wait_seconds");
    if (!mode || !enabled || !wait) return;
    const update = () => {
      const both = mode.value === "whatsapp_or_sms";
      rowOf(enabled).hidden = !both;
      rowOf(wait).hidden = !both || !enabled.checked;
      document.dispatchEvent(new CustomEvent("methods:mode", {detail: mode.value}));
    };
    mode.addEventListener("change", update);
    enabled.addEventListener("change", update);
    update();
  }

  function growWaits() {
    const input = field("resend_after_seconds"), help = document.querySelector("[data-grows]");
    if (!input || !help) return;
    input.addEventListener("input", () => {
      const base = Number(input.value);
      if (Number.isInteger(base) && base > 0) {
        help.textContent = help.dataset.grows.replace("{waits}", [base, base * 2, base * 4].join(", "));
      }
    });
  }

  // unfold's tabs are links without an address, which the keyboard does not reach.
  function reachTabs() {
    for (const tab of document.querySelectorAll("nav > a[x-on\\:click^=activeFieldsetTab]")) {
      tab.tabIndex = 0;
      tab.setAttribute("role", "button");
      tab.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          tab.click();
        }
      });
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const item of document.querySelectorAll("[data-scripts]")) item.hidden = false;
    growWaits();
    reachTabs();
    hideFallback();
  });
})();
