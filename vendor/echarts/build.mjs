// Bundles entry.mjs into the file that the portal serves, with the licence and notice of what is in it beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const TARGET = "../../ckanext-openhuizhou/ckanext/openhuizhou/public/openhuizhou/vendor";
const { version } = JSON.parse(readFileSync("node_modules/echarts/package.json", "utf8"));
const zrender = JSON.parse(readFileSync("node_modules/zrender/package.json", "utf8")).version;

await build({
  entryPoints: ["entry.mjs"],
  outfile: `${TARGET}/echarts-${version}.min.js`,
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  target: "es2020",
  define: { "process.env.NODE_ENV": '"production"' },
  banner: { js: `/*! Apache ECharts ${version}, Apache-2.0; zrender ${zrender}, BSD-3-Clause. See echarts-LICENSE.txt. */` },
});

const parts = ["echarts/LICENSE", "echarts/NOTICE", "zrender/LICENSE", "tslib/LICENSE.txt"];
const texts = parts.map((name) => `==== ${name} ====\n\n${readFileSync(`node_modules/${name}`, "utf8").trim()}\n`);
writeFileSync(`${TARGET}/echarts-LICENSE.txt`, texts.join("\n"));
