// Judges custom resources by the types of the projects that they come from.
//
// Reads a list of objects as JSON, answers with a list of strings: null where an object is right. The
// only argument is the folder in which the npm packages of these types are.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = {
  "gateway.networking.k8s.io": "gateway-api",
  "monitoring.coreos.com": "prometheus-operator",
};

const folder = process.argv[2];
const faults = [];
for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  const [group, version] = object.apiVersion.split("/");
  const file = join(folder, "node_modules/@kubernetes-models", PACKAGES[group], group, version, `${object.kind}.js`);
  const { [object.kind]: Model } = await import(pathToFileURL(file));
  try {
    new Model(object).validate();
    faults.push(null);
  } catch (error) {
    faults.push(error.message);
  }
}
console.log(JSON.stringify(faults));
