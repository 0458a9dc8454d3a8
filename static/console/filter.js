// A text field with data-filter shows only those choices of the named box whose label holds what is typed, and those
// that are chosen. Without this script all are shown.
for (const field of document.querySelectorAll("[data-filter]")) {
  const choices = [...document.querySelectorAll(`#${field.dataset.filter} label`)];
  field.parentElement.hidden = false;
  field.addEventListener("input", () => {
    const typed = field.value.trim().toLowerCase();
    for (const choice of choices) {
      const isShown = choice.textContent.toLowerCase().includes(typed) || choice.parentElement.querySelector("input").checked;
      choice.closest("div").hidden = !isShown;
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it filters; it does not send the form
  });
}
