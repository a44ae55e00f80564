// Looks at the dashboard as people do: logs in, watches, reads a difference, approves, promotes, rolls back, loses the
// connection. One line for each check: `ok WHAT`, or `FAILED WHAT: WHY`. `do stop` and `do start` ask the story for what no
// page can do; it answers with a line.

import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const given = JSON.parse(process.argv[2]);
const require = createRequire(`${given.modules}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(`${given.modules}/axe-core/axe.min.js`, 'utf8');
const PATIENCE_MS = 15_000;

mkdirSync(given.pictures, { recursive: true });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await chromium.launch({ executablePath: given.chromium, args: ['--no-sandbox', '--disable-gpu'] });
/** What pages said that they should not have. */
const said = [];

async function check(what, body) {
  try {
    const fact = await body();
    console.log(`ok ${what}${fact ? `: ${fact}` : ''}`);
  } catch (error) {
    console.log(`FAILED ${what}: ${error.message.split('\n').slice(0, 4).join(' | ')}`);
  }
}

function same(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: found ${found}, expected ${expected}`);
}

async function please(what) {
  console.log(`do ${what}`);
  await answers.next();
}

/** A page of a browser of its own; its errors are noted, but for those that a check brings about. */
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => said.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    const expected = /status of 4\d\d|status of 5\d\d|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_NETWORK/.test(text);
    if (message.type() === 'error' && !expected) said.push(text);
  });
  await page.goto(url);
  return page;
}

async function logIn(page, who) {
  await page.fill('#token', given.tokens[who]);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#logout');
}

async function migration(page, name) {
  await page.goto(`${given.admin}/#/${name}`);
  await page.waitForSelector('#position');
}

async function picture(page, name) {
  await page.screenshot({ path: `${given.pictures}/${name}.png` });
}

/** No serious fault in the eyes of axe. */
async function accessible(page) {
  // Through the protocol, not as a script of the page: its policy lets no foreign script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = bad.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)} ${nodes[0].failureSummary.slice(0, 160)}`);
  if (bad.length) throw new Error(told.join('; '));
  return `${violations.length} lesser`;
}

/** Sides of this many users, at the client. */
async function sides() {
  const count = { old: 0, new: 0, failed: 0 };
  for (let user = 0; user < given.users; user += 1) {
    const reply = await fetch(`${given.data}/api/7`, { headers: { 'x-user-id': `user-${user}` } });
    count[reply.ok ? reply.headers.get('x-cutover-side') : 'failed'] += 1;
  }
  return count;
}

async function vendored() {
  for (const file of ['uPlot.esm.js', 'uPlot.min.css']) {
    const served = await (await fetch(`${given.admin}/assets/vendor/${file}`)).text();
    same(served === readFileSync(`${given.modules}/uplot/dist/${file}`, 'utf8'), true, `${file} is npm's`);
  }
}

async function people() {
  const page = await open(given.admin);
  await check('without a session the page asks for a token, and says why a wrong one is none', async () => {
    await page.fill('#token', 'cut_wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.problem');
    await picture(page, 'login-light');
    return (await page.textContent('.problem')).slice(0, 60);
  });
  await check('a token logs in; it is in no address and in no storage', async () => {
    await logIn(page, 'ana');
    const kept = await page.evaluate(() => JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, document.cookie]));
    same(kept.includes(given.tokens.ana.slice(4, 20)) || kept.includes('cutover-session'), false, kept);
  });
  await check(`the overview has all ${given.more + 2} migrations, and says of each what it waits for`, async () => {
    await page.waitForSelector('#open-trial');
    same(await page.locator('tbody tr').count(), given.more + 2, 'rows');
    await picture(page, 'overview-light');
  });
  await check('the overview is accessible', () => accessible(page));
  await check('a canary is watched: its numbers follow the traffic', async () => {
    await page.click('#open-trial');
    await page.waitForSelector('#position');
    same(await page.textContent('#position'), 'canary 50%', 'position');
    const requests = async () => Number((await page.locator('#part-sides tbody tr').first().locator('td').nth(1).textContent()).replace(/\D/g, ''));
    let before = 0;
    await until(async () => (before = await requests()) > 0, 'requests of old');
    await until(async () => (await requests()) > before, 'more of them, without a click');
    await until(async () => (await page.locator('canvas').count()) >= 4, 'charts');
    return `old ${before}, then ${await requests()}`;
  });
  await check('one migration is accessible', () => accessible(page));
  await check('a difference is shown by route and field, with the differing part marked', async () => {
    await migration(page, 'dates');
    await page.waitForSelector('#diff-0 mark');
    same((await page.textContent('#diff-0 summary')).includes('/joined'), true, 'the field');
    await page.click('#to-differences');
    const seen = () => page.evaluate(() => {
      const { top } = document.getElementById('diff-0').getBoundingClientRect();
      return top > document.getElementById('bar').offsetHeight && top < innerHeight - 100;
    });
    await until(seen, 'the failure leads to what differs');
    await picture(page, 'differences-light');
    return (await page.textContent('#diff-0 summary')).trim().slice(0, 80);
  });
  await check('one click and a reason turn it into a rule to ignore, and another one takes that back', async () => {
    await order(page, '#ignore-0', 'the new format is meant');
    await page.waitForSelector('#added');
    same(await page.locator('#diff-0').count(), 0, 'differences after it');
    same((await page.textContent('#added')).includes('/joined (ignore), by ana (on-call): the new format is meant'), true, 'whose it is');
    await order(page, '#unignore-0', 'it was a mistake');
    await page.waitForSelector('#diff-0 mark');
  });
  await check('a promotion is refused on the button, with what is missing', async () => {
    await migration(page, 'trial');
    const why = await until(async () => {
      const text = await page.getAttribute('#order-promote', 'title');
      return text?.includes('approvals') && text;
    }, 'the missing approval');
    same(await page.getAttribute('#order-promote', 'aria-disabled'), 'true', 'disabled');
    return why.slice(0, 100);
  });
  await check('somebody else approves the evidence that is shown', async () => {
    const other = await open(given.admin);
    await logIn(other, 'ben');
    await migration(other, 'trial');
    await order(other, '#order-approve', 'read the numbers');
    await other.waitForSelector('#part-people tbody tr');
    await other.context().close();
  });
  await check('then it is promoted, and everybody reads from new', async () => {
    await until(async () => (await page.getAttribute('#order-promote', 'aria-disabled')) === null, 'nothing is missing');
    await order(page, '#order-promote', 'all gates pass');
    await until(async () => (await page.textContent('#position')) === 'canary 100%', 'canary 100%');
    const { old, failed } = await sides();
    same(`${old} ${failed}`, '0 0', 'users on old, failed');
  });
  await check('a viewer sees everything; what the role may not do is disabled and says why', async () => {
    const other = await open(given.admin);
    await logIn(other, 'vera');
    await migration(other, 'trial');
    const why = await other.getAttribute('#order-pause', 'title');
    same(why.includes('vera (viewer) may not pause'), true, why);
    await other.click('#rollback');
    await other.waitForSelector('dialog .problem');
    await other.keyboard.press('Escape');
    // It goes with an event of its own, which comes a moment later.
    await other.waitForSelector('dialog', { state: 'detached' });
    await other.click('#logout');
    await other.waitForSelector('#token');
    await other.context().close();
    return why.slice(0, 80);
  });
  await check('a rollback by keyboard alone: a reason, one confirmation, and how long it took', async () => {
    await page.locator('#rollback').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('#reason:focus');
    await until(async () => /users read from old again/.test(await page.textContent('dialog')), 'what it would do');
    await picture(page, 'rollback-light');
    await page.keyboard.type('errors on checkout');
    await page.keyboard.press('Enter');
    const told = await page.textContent('#told.done');
    const { new: onNew, failed } = await sides();
    same(`${onNew} ${failed}`, '0 0', 'users on new, failed');
    await page.keyboard.press('Enter');
    await until(async () => (await page.textContent('#history')).includes('errors on checkout'), 'the audit trail');
    return told.slice(0, 90);
  });
  await page.context().close();
}

/** Opens a dialog, gives a reason, and waits until it is done. */
async function order(page, button, reason) {
  await page.click(button);
  await page.fill('#reason', reason);
  await page.click('#confirm');
  await page.waitForSelector('#told.done');
  await page.keyboard.press('Enter');
}

async function until(condition, what) {
  const ends = Date.now() + PATIENCE_MS;
  while (Date.now() < ends) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it did not come: ${what}`);
}

async function looks() {
  for (const [name, options] of [['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }]]) {
    const page = await open(given.admin, options);
    await logIn(page, 'ana');
    await migration(page, 'dates');
    await page.waitForSelector('#diff-0 mark');
    await until(async () => (await page.locator('canvas').count()) >= 4, 'charts');
    await check(`it is accessible: ${name}`, () => accessible(page));
    await check(`nothing is cut off at the side: ${name}`, async () => {
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      same(wide <= seen, true, `${wide} of ${seen} pixels`);
    });
    await picture(page, `migration-${name}`);
    await page.goto(`${given.admin}/#/`);
    await page.waitForSelector('#open-trial');
    await picture(page, `overview-${name}`);
    await page.context().close();
  }
  const page = await open(given.admin);
  await logIn(page, 'ana');
  await migration(page, 'dates');
  await until(async () => (await page.locator('canvas').count()) >= 4, 'charts');
  await picture(page, 'migration-light');
  await page.context().close();
}

async function connection() {
  const page = await open(given.empty);
  await check('without tokens it opens at once, and without migrations it says what to do', async () => {
    await page.waitForSelector('text=No migration yet');
    await accessible(page);
  });
  await check('a lost connection is said, and gone when the proxy is back', async () => {
    await please('stop');
    await page.waitForSelector('#banner:has-text("lost")');
    await please('start');
    await until(async () => (await page.textContent('#banner')) === '', 'the banner is gone');
  });
  await page.context().close();
}

await check('the vendored charts are those of npm, byte by byte', vendored);
await people();
await looks();
await connection();
await check('no page broke, and nothing went against the content security policy', async () => same(said.join(' | '), '', 'errors'));
await browser.close();
process.exit(0);
