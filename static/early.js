// Runs before the first paint, so that what scripts show or hide does not move the page afterwards.
document.documentElement.classList.add("js");
