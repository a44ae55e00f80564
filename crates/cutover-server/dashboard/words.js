// Numbers and times as people say them.

/** 0.0123 → "1.23%", as the API writes percents; nothing → a dash. */
export function share(value, digits = 2) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0%';
  return `${(100 * value).toFixed(100 * value >= 10 ? 1 : digits)}%`;
}

export function ms(value) {
  if (value === null || value === undefined) return '–';
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return value >= 10 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
}

export function count(value) {
  return value === null || value === undefined ? '–' : value.toLocaleString('en');
}

/** 2400000 → "40 min". */
export function span(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return '–';
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** Relative, with the moment itself in the title. */
export function moment(atMs, nowMs = Date.now()) {
  const passed = nowMs - atMs;
  return timed(atMs, passed >= 0 ? `${span(passed)} ago` : `in ${span(-passed)}`);
}

/** How long something has been so. */
export function lasting(atMs, nowMs) {
  return timed(atMs, `for ${span(Math.max(0, nowMs - atMs))}`);
}

function timed(atMs, text) {
  const element = document.createElement('time');
  const date = new Date(atMs);
  element.dateTime = date.toISOString();
  // Sweden writes dates as ISO 8601 does.
  element.title = date.toLocaleString('sv');
  element.textContent = text;
  return element;
}
