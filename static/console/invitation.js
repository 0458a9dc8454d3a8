// The token of an invitation stands behind the # of its link, which no server sees: it is put into the form, and the
// address is cleared. Without JavaScript people paste what stands behind the #.
(() => {
  const field = document.querySelector("input[name=invitation]");
  const token = location.hash.slice(1);
  if (!field || !token) return;
  field.value = token;
  history.replaceState(null, "", location.pathname);
})();
