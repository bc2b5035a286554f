// Looks at pages in a headless Chromium as people would: on a phone and on a desk, light and dark, and
// printed. Keeps pictures, and tells what is wrong: rules of accessibility that are broken, anything
// that runs over the edge, scripts, whatever the browser complains of or fetches from elsewhere.
//
//   node look.js FOLDER NAME=URL...
//
// CHROMIUM names the browser.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 360, height: 740 },
};
const SCHEMES = ["light", "dark"];
// How long a page may take to come, in milliseconds.
const WITHIN_MS = 20_000;

const [folder, ...targets] = process.argv.slice(2);
if (!folder || targets.length === 0) {
  console.error("usage: node look.js FOLDER NAME=URL...");
  process.exit(2);
}

// Chromium's own sandbox does not work for root.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
let wrong = 0;

function complain(where, words) {
  wrong += 1;
  console.error(`${where}: ${words}`);
}

// Opens the page, and says whatever the browser has to complain of.
async function open(url, where, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => {
    // That a page of refusal comes with the status of one is as it should be.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded");
    if (["error", "warning"].includes(message.type()) && !isStatus) complain(where, message.text());
  });
  page.on("pageerror", (error) => complain(where, error.message));
  page.on("request", (request) => {
    const isThePage = request.isNavigationRequest() || request.url() === url;
    if (!isThePage && !request.url().endsWith("/favicon.ico")) {
      complain(where, `asks for ${request.url()}`);
    }
  });
  const response = await page.goto(url, { timeout: WITHIN_MS, waitUntil: "load" });
  if (response && response.status() >= 500) complain(where, `answers ${response.status()}`);
  return { context, page };
}

// Rules that are broken, each with the first elements that break it.
async function broken(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return found.violations.map((violation) => {
    const nodes = violation.nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`);
    return `${violation.id} (${violation.impact}): ${nodes.join(" | ")}`;
  });
}

for (const target of targets) {
  const [name, url] = [target.slice(0, target.indexOf("=")), target.slice(target.indexOf("=") + 1)];
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      const where = `${name}, ${size}, ${colorScheme}`;
      const { context, page } = await open(url, where, { viewport, colorScheme });
      const scripts = await page.evaluate(() => document.scripts.length);
      if (scripts > 0) complain(where, `has ${scripts} scripts`);
      const over = await page.evaluate(() => {
        const root = document.documentElement;
        return root.scrollWidth - root.clientWidth;
      });
      if (over > 0) complain(where, `is ${over} pixels wider than the screen`);
      await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true });
      for (const words of await broken(page)) complain(where, words);
      console.log(`${where}: looked at`);
      await context.close();
    }
  }
  // Somebody who works at night prints on white paper, too.
  const where = `${name}, printed`;
  const { context, page } = await open(url, where, { colorScheme: "dark" });
  const paper = await page.pdf({ format: "A4", path: `${folder}/${name}.pdf` });
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: `${folder}/${name}-print.png`, fullPage: true });
  console.log(`${where}: ${paper.length} bytes`);
  await context.close();
}
await browser.close();
process.exit(wrong === 0 ? 0 : 1);
