// Starts what the page asks for. Every page works without it; with it, it stays up to date.
import { startAges } from "./age.js";
import { startLive } from "./live.js";
import { startForms } from "./forms.js";

startAges();
startForms();
if (document.body.dataset.live) startLive(document.body.dataset.live);
if (document.querySelector("[data-chart]")) import("./chart.js").then((m) => m.startCharts());
if (document.querySelector("form[data-explore]") || document.body.dataset.zone) import("./explore.js");
if (document.querySelector("figure[data-plot]")) import("./plot.js");
if (document.querySelector("[data-dashboard]")) import("./dashboard.js").then((m) => m.startDashboard());
