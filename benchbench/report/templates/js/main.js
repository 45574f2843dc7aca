function goTo(section) {
  if (section) document.getElementById(section)?.scrollIntoView();
}

function start() {
  buildControls();
  buildCases();
  buildLimits();
  followers.push(showAnswers, showSurprises, showDelegation, showTradeoffs, showClasses, showCases, showCompared, drawAll);
  const section = readAddress();
  apply();
  goTo(section);
  window.addEventListener("hashchange", () => { const to = readAddress(); changed(); goTo(to); });
  dark.addEventListener("change", drawAll);
}

start();
