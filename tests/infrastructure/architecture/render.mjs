// Graphviz, compiled to WebAssembly: the same picture from the same text on every machine.
// node render.mjs LIBRARY < {"name": "digraph …"} > {"name": "<svg …"}
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { Graphviz } = await import(pathToFileURL(process.argv[2]));
const graphviz = await Graphviz.load();
const drawn = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  try {
    drawn[name] = graphviz.layout(text, "svg", "dot");
  } catch (error) {
    console.error(`${name}: ${error.message ?? error}`);
    process.exit(1);
  }
}
process.stdout.write(JSON.stringify(drawn));
