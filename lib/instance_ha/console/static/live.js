// Replaces the live part of a page by what it is now, as often as the page says, and sends each form once.
"use strict";
(() => {
  // A double click is one click. After the event, so that the button that was pressed is sent with its form.
  document.addEventListener("submit", (event) => {
    setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });  // by the back button
})();
(() => {
  const part = () => document.getElementById("live");
  if (!part()) return;
  const page = document.title;

  const say = (text) => { part().querySelector("[data-status]").textContent = text; };
  const name = () => { document.title = [part().dataset.title, page].filter(Boolean).join(" · "); };

  // While somebody types a reason, the form stays where it is.
  const isTyping = () => [...part().querySelectorAll("input:not([type=hidden]), textarea, select")]
    .some((field) => field === document.activeElement || (field.value !== field.defaultValue && field.type === "text"));

  const replace = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    const opened = [...part().querySelectorAll("details[open][id]")].map((one) => one.id);
    const focused = part().contains(document.activeElement) && document.activeElement.getAttribute("href");
    const scrolled = [...part().querySelectorAll(".wide")].map((one) => [one.scrollLeft, one.scrollTop]);
    part().replaceWith(document.importNode(fresh, true));
    opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    [...part().querySelectorAll(".wide")].forEach((one, at) => one.scrollTo(...(scrolled[at] ?? [0, 0])));
    if (focused) part().querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
  };

  const refresh = async () => {
    if (document.hidden) return;
    if (isTyping()) { say("Not refreshed while you type."); return; }
    try {
      const how = {headers: {"X-Console-Live": "1"}, redirect: "manual", signal: AbortSignal.timeout(60000)};
      const answer = await fetch(location.href, how);
      if (answer.type === "opaqueredirect") { location.reload(); return; }  // the session is over
      if (!answer.ok) throw new Error(answer.status);
      replace(await answer.text());
      name();
      say("It refreshes itself.");
    } catch {
      say("It could not be refreshed: this is old.");
    }
  };

  name();
  say("It refreshes itself.");
  // One after the other: a server that is slow is not asked again before it has answered.
  const next = () => setTimeout(() => refresh().finally(next), 1000 * part().dataset.interval);
  next();
})();
