// Prints a report: every page becomes an image, because browsers print neither the PDF in this page nor what is outside of
// the window.

const density = 200 / 72; // dots per point: fine enough for small print

export async function print(report, container) {
  const sheet = new CSSStyleSheet();
  const addresses = [];
  try {
    for (let number = 1; number <= report.numPages; number++) {
      const page = await report.getPage(number);
      if (number === 1) {
        const { width, height } = page.getViewport({ scale: 1 });
        sheet.replaceSync(`@page { size: ${width}pt ${height}pt; margin: 0; }`);
      }
      const image = document.createElement("img");
      image.alt = "";
      image.src = await picture(page);
      addresses.push(image.src);
      container.append(image);
      await image.decode();
    }
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    window.print();
  } finally {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    container.replaceChildren();
    addresses.forEach((address) => URL.revokeObjectURL(address));
  }
}

async function picture(page) {
  const viewport = page.getViewport({ scale: density });
  const canvas = document.createElement("canvas");
  canvas.width = Math.floor(viewport.width);
  canvas.height = Math.floor(viewport.height);
  await page.render({ canvas, viewport, intent: "print" }).promise;
  const image = await new Promise((resolve) => canvas.toBlob(resolve));
  canvas.width = canvas.height = 0;
  return URL.createObjectURL(image);
}
