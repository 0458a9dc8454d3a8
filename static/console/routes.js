"use strict";
// Routes of the login methods: rows to add and remove, without what does not apply.
// Without this file there is one empty row after each save, and the server ignores what does not apply.
(() => {
  const CHANNELS = {whatsapp_or_sms: ["whatsapp", "sms"], whatsapp_only: ["whatsapp"], sms_only: ["sms"]};
  const WAITS = "whatsapp sms"; // the only order in which silence lasts
  let mode = "whatsapp_or_sms";

  function update(row) {
    const order = row.querySelector("[name$=-order]");
    const fits = (option) => option.value.split(" ").every((channel) => CHANNELS[mode].includes(channel));
    for (const option of order.options) option.hidden = option.disabled = !fits(option);
    if (order.selectedOptions[0]?.disabled) {
      const kept = order.value.split(" ").filter((channel) => CHANNELS[mode].includes(channel)).join(" ");
      order.value = kept || [...order.options].find((option) => !option.disabled).value;
    }
    row.querySelector(".route-wait_seconds").hidden = order.value !== WAITS;
    row.classList.toggle("is-removed", row.querySelector("[name$=-DELETE]").checked);
  }

  function add(box) {
    const total = box.querySelector(`[name=${box.dataset.prefix}-TOTAL_FORMS]`), number = Number(total.value);
    const row = box.querySelector("template").content.firstElementChild.cloneNode(true);
    for (const item of row.querySelectorAll("*")) {
      for (const {name, value} of [...item.attributes]) {
        if (value.includes("__prefix__")) item.setAttribute(name, value.replace("__prefix__", number));
      }
    }
    total.value = number + 1;
    box.querySelector(".routes-rows").append(row);
    arm(row);
    row.dispatchEvent(new CustomEvent("formset:added", {bubbles: true})); // its countries get their search
    row.querySelector(".select2-search__field, select")?.focus();
  }

  // select2 makes a field without a name out of the list of countries.
  function label() {
    for (const input of document.querySelectorAll("[data-route] .select2-search__field")) {
      input.setAttribute("aria-label", input.closest("[data-route]").querySelector(".route-countries > label").textContent);
    }
  }

  function arm(row) {
    row.addEventListener("change", () => update(row));
    update(row);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-routes]");
    if (!box) return;
    for (const row of box.querySelectorAll(".routes-rows > [data-route]")) arm(row);
    new MutationObserver(label).observe(box, {childList: true, subtree: true});
    label();
    box.querySelector("[data-add]").addEventListener("click", () => add(box));
    document.addEventListener("methods:mode", (event) => {
      mode = event.detail;
      for (const row of box.querySelectorAll(".routes-rows > [data-route]")) update(row);
    });
  });
})();
