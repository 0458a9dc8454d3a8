// Keeps the element with data-refresh (seconds) as the server has it now. Without this script, reloading does the same.
const region = document.querySelector("[data-refresh]");

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(region.id);
    if (!fresh) return location.reload(); // signed out, or gone
    if (fresh.innerHTML !== region.innerHTML) region.innerHTML = fresh.innerHTML;
    if (!fresh.hasAttribute("data-refresh")) return location.reload(); // over
  } catch {
    // The network is away for a moment: asked again below.
  }
  setTimeout(refresh, Number(region.dataset.refresh) * 1000);
}

if (region) setTimeout(refresh, Number(region.dataset.refresh) * 1000);
