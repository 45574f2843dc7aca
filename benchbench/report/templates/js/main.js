function goTo(section) {
  if (section) document.getElementById(section)?.scrollIntoView();
}

function start() {
  buildControls();
  buildCases();
  linkLogs();
  buildLimits();
  followers.push(["answers", showAnswers], ["surprise-list", showSurprises], ["delegation-table", showDelegation],
    ["tradeoffs", showTradeoffs], ["class-panels", showClasses], ["case-table", showCases],
    ["comparison-table", showCompared], ["formats-table", showCompared], ["main", showDevices]);
  const section = readAddress();
  apply(true);
  goTo(section);
  window.addEventListener("hashchange", () => { const to = readAddress(); changed(Boolean(to)); goTo(to); });
  dark.addEventListener("change", drawAll);
}

start();
