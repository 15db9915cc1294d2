// Shows the report that window.PDF_URL leads to: fetches it once, and connects the toolbar with the pages.

// The version in our own address goes to everything that is loaded from here, so that caches never mix two versions.
const version = new URL(import.meta.url).search;
const load = (path) => import(path + version);

const element = (id) => document.getElementById(id);
const controls = [
  "first", "previous", "next", "last", "page", "zoom-out", "zoom-in", "scale", "find", "query", "find-previous", "find-next", "print", "download",
].map(element);

// How long nothing may arrive until that is said, and until it is given up, in milliseconds.
const slow = 10_000;
const patience = 120_000;

const expired = {
  title: "This link has expired",
  text: "For the patient's privacy, links to reports are good for a short time only. Please close this window and open the report again from the patient's chart.",
};
const unreachable = {
  title: "The report could not be loaded",
  text: "Please check your connection and try again. If the problem remains, open the report again from the patient's chart.",
  again: true,
};
const late = {
  title: "The report takes too long",
  text: "It was not ready after two minutes. Please try again; if the problem remains, open the report again from the patient's chart in a few minutes.",
  again: true,
};
const missing = {
  title: "The report is not available",
  text: "Please open the report again from the patient's chart. If the problem remains, contact support@tidepool.org.",
  again: true,
};
const unreadable = {
  title: "The report cannot be shown",
  text: "The file that was received is damaged or protected. Please try again later, or contact support@tidepool.org.",
  again: true,
};

class LateError extends Error {
  name = "LateError";
}

function problemOf(error) {
  if (error?.name === "LateError") return late;
  if (error?.name === "ResponseException") {
    if (error.status === 401 || error.status === 403) return expired;
    if (error.status === 404 || error.status === 410) return missing;
    return unreachable;
  }
  if (error?.name === "InvalidPDFException" || error?.name === "PasswordException") return unreadable;
  return unreachable;
}

function showProblem(problem) {
  element("loading").hidden = true;
  element("problem-title").textContent = problem.title;
  element("problem-text").textContent = problem.text;
  element("retry").hidden = !problem.again;
  element("problem").hidden = false;
}

function showProgress({ loaded, total }) {
  const percent = total > 0 ? Math.min(100, Math.round((100 * loaded) / total)) : 0;
  element("loading-text").textContent = percent > 0 ? `Loading report… ${percent}%` : "Loading report…";
}

// watched resolves to the report, or fails if nothing of it arrives for too long.
function watched(task) {
  let said, given;
  const stop = () => { clearTimeout(said); clearTimeout(given); };
  const report = new Promise((resolve, reject) => {
    const start = () => {
      stop();
      said = setTimeout(() => { element("loading-text").textContent = "This takes longer than usual. Still waiting for the report…"; }, slow);
      given = setTimeout(() => {
        reject(new LateError());
        task.destroy();
      }, patience);
    };
    start();
    task.onProgress = (progress) => {
      start();
      showProgress(progress);
    };
    task.promise.then(resolve, reject);
  });
  return report.finally(stop);
}

async function open(pdfjs) {
  const base = new URL("../", import.meta.url);
  pdfjs.GlobalWorkerOptions.workerSrc = new URL(`build/pdf.worker.mjs${version}`, base).href;
  return watched(pdfjs.getDocument({
    url: window.PDF_URL,
    // Each request makes the export service compute the report anew, so it is fetched in one piece.
    disableRange: true,
    standardFontDataUrl: new URL("web/standard_fonts/", base).href,
    useWasm: false,
    isEvalSupported: false,
    enableXfa: false,
  }));
}

function connect(report, pages, print, find) {
  const page = element("page");
  const scale = element("scale");
  element("count").textContent = report.numPages;

  const showPage = () => {
    if (document.activeElement !== page) page.value = pages.current;
    element("first").disabled = element("previous").disabled = pages.current <= 1;
    element("last").disabled = element("next").disabled = pages.current >= report.numPages;
  };
  const showScale = () => {
    const custom = element("scale-custom");
    custom.textContent = `${Math.round(100 * pages.scale)}%`;
    const named = [...scale.options].some((option) => option !== custom && option.value === String(pages.mode));
    custom.hidden = named;
    scale.value = named ? String(pages.mode) : "custom";
  };
  pages.addEventListener("page", showPage);
  pages.addEventListener("scale", showScale);

  element("first").onclick = () => pages.go(1);
  element("previous").onclick = () => pages.go(pages.current - 1);
  element("next").onclick = () => pages.go(pages.current + 1);
  element("last").onclick = () => pages.go(report.numPages);
  page.onchange = () => { pages.go(Number.parseInt(page.value, 10)); page.value = pages.current; };
  page.onfocus = () => page.select();

  element("zoom-in").onclick = () => pages.zoomIn();
  element("zoom-out").onclick = () => pages.zoomOut();
  scale.onchange = () => { if (scale.value !== "custom") pages.zoom(scale.value); };

  element("print").onclick = () => printReport(print, report);
  element("download").onclick = () => download(report);

  const query = connectFind(find);

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const action = {
      p: () => printReport(print, report),
      s: () => download(report),
      f: query.open,
      "+": () => pages.zoomIn(), "=": () => pages.zoomIn(), "-": () => pages.zoomOut(), 0: () => pages.zoom("auto"),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const control of controls) control.disabled = false;
  showPage();
  showScale();
}

// connectFind returns how to open the field for what to find, which narrow windows hide until it is asked for.
function connectFind(find) {
  const query = element("query"), matches = element("matches"), opener = element("find"), toolbar = opener.closest(".toolbar");
  const show = (shown) => {
    toolbar.classList.toggle("finding", shown);
    opener.setAttribute("aria-expanded", shown);
  };
  const open = () => {
    show(true);
    query.focus();
    query.select();
  };
  const close = () => {
    show(false);
    query.value = "";
    matches.textContent = find.clear();
  };
  const go = async (step) => {
    matches.textContent = "Searching…";
    matches.textContent = await find.go(query.value, step);
  };
  opener.onclick = () => (toolbar.classList.contains("finding") ? close() : open());
  element("search").onsubmit = (event) => {
    event.preventDefault();
    go(1);
  };
  element("find-previous").onclick = () => go(-1);
  query.oninput = () => { if (query.value === "") matches.textContent = find.clear(); };
  query.onkeydown = (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      go(-1);
    } else if (event.key === "Escape") {
      close();
      if (opener.offsetParent) opener.focus();
    }
  };
  return { open };
}

let printing = false;

async function printReport(print, report) {
  if (printing) return;
  printing = true;
  try {
    await print(report, element("printout"));
  } finally {
    printing = false;
  }
}

async function download(report) {
  const address = URL.createObjectURL(new Blob([await report.getData()], { type: "application/pdf" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "tidepool-report.pdf"; // no name: the file may end up on a shared computer
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function start() {
  try {
    const [pdfjs, { Pages }, { print }, { Find }] = await Promise.all([
      load("../build/pdf.mjs"), load("./pages.mjs"), load("./print.mjs"), load("./find.mjs"),
    ]);
    const report = await open(pdfjs);
    const pages = new Pages(pdfjs, report, element("pages"));
    await pages.show();
    connect(report, pages, print, new Find(report, pages));
    element("loading").hidden = true;
    element("pages").focus({ preventScroll: true });
  } catch (error) {
    console.warn("the report cannot be shown:", error?.name ?? error);
    showProblem(problemOf(error));
  }
}

element("retry").onclick = () => location.reload();
start();
