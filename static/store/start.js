// The live catalog on the start page: categories, products, one more page at a time.

const API = "/api/v1";
const AVAILABILITY = {
  in_stock: "In stock",
  low_stock: "Few left",
  out_of_stock: "Sold out",
  preorder: "Preorder",
};

const grid = document.getElementById("products");
const chips = document.getElementById("categories");
const more = document.getElementById("more");
const said = document.getElementById("said");

let nextPage = null;
let latest = 0;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function read(url) {
  const answer = await fetch(url, { credentials: "omit", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

function written(money) {
  const digits = (money.amount.split(".")[1] ?? "").length;
  const form = { style: "currency", currency: money.currency, minimumFractionDigits: digits };
  return new Intl.NumberFormat(document.documentElement.lang, form).format(money.amount);
}

function picture(product) {
  const image = product.images[0];
  if (!image) {
    const letter = element("span", { className: "letter" }, product.name.slice(0, 1));
    letter.setAttribute("aria-hidden", "true");
    return letter;
  }
  const { url, alt, width, height } = image;
  return element("img", { loading: "lazy", alt: alt || product.name, width, height, src: url });
}

function price(product) {
  if (!product.price) return element("span", { className: "price" }, "No price yet");
  const shown = element("span", { className: "price" }, written(product.price));
  if (product.compare_at_price) {
    shown.append(" ", element("s", {}, written(product.compare_at_price)));
  }
  return shown;
}

function card(product) {
  const kind = [product.brand, product.category?.name].filter(Boolean).join(" · ");
  const stock = `stock ${product.availability}`;
  return element(
    "li",
    { className: "product" },
    element("div", { className: "picture" }, picture(product)),
    element(
      "div",
      { className: "text" },
      element("h3", {}, product.name),
      element("p", { className: "kind" }, kind),
      element(
        "div",
        { className: "bottom" },
        price(product),
        element("span", { className: stock }, AVAILABILITY[product.availability] ?? ""),
      ),
    ),
  );
}

function notice(text) {
  return element("li", { className: "notice" }, text);
}

function chosen() {
  return new URLSearchParams(location.search).get("category") ?? "";
}

async function showPage(url, { add }) {
  const mine = ++latest;
  grid.setAttribute("aria-busy", "true");
  more.hidden = true;
  try {
    const page = await read(url);
    if (mine !== latest) return;
    const first = grid.children.length;
    const cards = page.results.map(card);
    if (add) grid.append(...cards);
    else grid.replaceChildren(...(cards.length ? cards : [notice("There are no products here yet.")]));
    const count = add ? first + cards.length : cards.length;
    said.textContent = `${count} ${count === 1 ? "product" : "products"} shown`;
    // A next address names the host it was asked on; only its path and query matter here.
    const next = page.next && new URL(page.next);
    nextPage = next && next.pathname + next.search;
    more.hidden = !nextPage;
  } catch (error) {
    if (mine !== latest) return;
    console.error(error);
    said.textContent = "";
    const sorry = notice("The catalog cannot be reached at this moment. Please try again.");
    if (add) grid.append(sorry);
    else grid.replaceChildren(sorry);
  } finally {
    if (mine === latest) grid.setAttribute("aria-busy", "false");
  }
}

function showProducts() {
  const query = new URLSearchParams({ limit: "12" });
  if (chosen()) query.set("filter[category]", chosen());
  for (const link of chips.querySelectorAll("a")) {
    if (link.dataset.slug === chosen()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  return showPage(`${API}/products?${query}`, { add: false });
}

function chip(slug, name, count) {
  const href = slug ? `?category=${encodeURIComponent(slug)}` : location.pathname;
  const link = element("a", { href }, name);
  if (count !== undefined) link.append(" ", element("small", {}, String(count)));
  link.dataset.slug = slug;
  return element("li", {}, link);
}

async function showCategories() {
  try {
    const { results } = await read(`${API}/categories`);
    const filled = results.filter((category) => category.product_count > 0);
    chips.replaceChildren(
      chip("", "All"),
      ...filled.map(({ slug, name, product_count: count }) => chip(slug, name, count)),
    );
  } catch (error) {
    console.error(error);
  }
}

chips.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  showProducts();
});

more.addEventListener("click", async () => {
  const before = grid.children.length;
  await showPage(nextPage, { add: true });
  const added = grid.children[before];
  if (added) {
    added.tabIndex = -1;
    added.focus();
  }
});

window.addEventListener("popstate", showProducts);

await showCategories();
await showProducts();
