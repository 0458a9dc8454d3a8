// Bundles app.jsx and serves it; the settings of the environment become constants of the bundle.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { build } from "esbuild";

const { ISSUER = "http://localhost:8000", CLIENT_ID = "example-spa", PORT = "5173" } = process.env;
const constants = Object.entries({ ISSUER, CLIENT_ID, NODE_ENV: "production" });
const { outputFiles: [bundle] } = await build({
  entryPoints: ["app.jsx"],
  bundle: true,
  write: false,
  jsx: "automatic",
  define: Object.fromEntries(constants.map(([name, value]) => [`process.env.${name}`, JSON.stringify(value)])),
});
const page = await readFile("index.html");

createServer((request, response) => {
  const [type, body] = request.url === "/app.js" ? ["text/javascript", bundle.contents] : ["text/html", page];
  response.setHeader("Content-Type", `${type}; charset=utf-8`).end(body);
}).listen(Number(PORT), "localhost", () => console.log(`React example: http://localhost:${PORT}`));
