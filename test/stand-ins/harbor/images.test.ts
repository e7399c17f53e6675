import { expect, test } from "vitest";
import { parse } from "yaml";
import { describeImages } from "./images.ts";
import { composeFile } from "./prepare/compose.ts";
import { harborYml } from "./prepare/fixture.ts";
import { readSettings } from "./prepare/settings.ts";

test("the archive holds every image that docker-compose.yml and prepare name, on the same layers", () => {
  const files = describeImages([{ path: "a.tar", sha256: "1" }], "amd64");
  const manifest = JSON.parse(files["manifest.json"] ?? "");
  const tags = manifest.map((image: { RepoTags: string[] }) => image.RepoTags[0]);
  const services = Object.values<{ image: string }>(parse(composeFile(readSettings(harborYml))).services);
  expect(tags.sort()).toEqual([...services.map(({ image }) => image), "goharbor/prepare:v2.15.2"].sort());
  for (const image of manifest) {
    expect(image.Layers).toEqual(["a.tar"]);
    expect(JSON.parse(files[image.Config] ?? "").config.Labels["dev.harbor-ha.stand-in"]).toBe("true");
  }
});
