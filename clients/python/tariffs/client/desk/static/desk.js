"use strict";
// Parts of a page that take longer than the page itself: each is a page too, and its link stands in its place without a script.
async function loadPart(place) {
  place.classList.add("busy");
  try {
    const answer = await fetch(place.dataset.part, { headers: { "x-part": "1", accept: "text/html" } });
    place.innerHTML = await answer.text();
  } catch {
    // The link stays.
  }
  place.classList.remove("busy");
}
for (const place of document.querySelectorAll("[data-part]")) loadPart(place);

// The slider moves over points that came with the page.
const slider = document.getElementById("point");
if (slider) {
  const points = JSON.parse(document.getElementById("points").textContent);
  const mark = document.getElementById("mark");
  const cells = (texts, first) =>
    texts.map((text, place) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      if (place >= first) cell.className = "n";
      return cell;
    });
  const show = () => {
    const point = points[slider.value];
    document.getElementById("point-label").textContent = point.label;
    slider.setAttribute("aria-valuetext", point.label);
    document.querySelector("#point-totals tr").replaceChildren(...cells(point.totals, 0));
    const groups = document.getElementById("point-groups");
    if (groups) {
      groups.replaceChildren(
        ...point.groups.map((row) => {
          const line = document.createElement("tr");
          line.replaceChildren(...cells(row, 1));
          return line;
        }),
      );
    }
    mark.setAttribute("x1", point.x);
    mark.setAttribute("x2", point.x);
    // The address names the point, so that a link shows it.
    const address = new URL(location);
    address.searchParams.set("point", slider.value);
    clearTimeout(slider.timer);
    slider.timer = setTimeout(() => history.replaceState(null, "", address), 200);
  };
  slider.addEventListener("input", show);
  const asked = Number(new URL(location).searchParams.get("point"));
  if (asked > 0 && asked < points.length) {
    slider.value = asked;
    show();
  }
}

// Empty fields stay out of the address, and a form that was sent says so.
for (const form of document.querySelectorAll("form.question")) {
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) {
      if (value !== "") continue;
      const kept = event.formData.getAll(name).filter((one) => one !== "");
      event.formData.delete(name);
      for (const one of kept) event.formData.append(name, one);
    }
  });
  form.addEventListener("submit", () => {
    document.querySelector(".answer")?.classList.add("busy");
    form.querySelector("button").textContent = "Computing ...";
  });
}
// A scenario is checked as it is written; the answer to an older text is dropped.
const editor = document.getElementById("editor");
if (editor) {
  const place = document.getElementById("checked");
  let number = 0;
  document.getElementById("text").addEventListener("input", () => {
    const own = ++number;
    setTimeout(async () => {
      if (own !== number) return;
      place.classList.add("busy");
      const body = new URLSearchParams(new FormData(editor));
      body.set("action", "check");
      const answer = await fetch("/scenario", { method: "POST", headers: { "x-part": "1" }, body });
      const text = await answer.text();
      if (own !== number) return;
      place.innerHTML = text;
      place.classList.remove("busy");
      const address = place.querySelector("[data-address]")?.dataset.address;
      if (address) history.replaceState(null, "", address);
    }, 400);
  });
}

// A file is sent as it is, so that the browser reads it block by block; what is missing comes back as a form.
const upload = document.getElementById("upload");
if (upload) {
  const place = document.getElementById("mapping");
  const chosen = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(upload)) if (value !== "") query.set(name, value);
    return query;
  };
  upload.addEventListener("change", () => {
    const link = document.getElementById("mapping-file");
    if (link) link.href = "/tables/mapping?" + chosen();
  });
  upload.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = document.getElementById("file").files[0];
    const progress = document.getElementById("progress");
    const query = chosen();
    query.set("name", file.name);
    const request = new XMLHttpRequest();
    request.open("POST", `${upload.dataset.address}?${query}`);
    request.setRequestHeader("x-part", "1");
    request.setRequestHeader("x-proof", upload.dataset.proof);
    progress.hidden = false;
    request.upload.onprogress = (sent) => (progress.value = (100 * sent.loaded) / (sent.total || 1));
    request.onloadend = () => {
      progress.hidden = true;
      if (request.status === 200) location.assign(JSON.parse(request.responseText).address);
      else if (request.status) place.innerHTML = request.responseText;
      else place.textContent = "The file was not received: it is too large, or the connection is lost.";
    };
    request.send(file);
  });
}

// A page that comes back from the cache of the browser is not computing any more.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
