import { describe, expect, test } from "vitest";
import { bundle, makeBundle } from "../../../components/model/bundle.ts";

const withFile = (path: string, file: object) => ({ ...makeBundle("shop", {}), files: { [path]: file } });
const problems = (value: unknown) => bundle.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

describe("a bundle", () => {
  test("of nothing is valid, and survives its way over stdin", () => {
    const made = makeBundle("shop", {
      files: { "/etc/shop.conf": { mode: "0644", content: "x\n" } },
      units: ["a.service"],
    });
    expect(bundle.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  test("of another format is refused: an old program on a host must not guess", () => {
    expect(problems({ ...makeBundle("shop", {}), format: 2 })).not.toEqual([]);
  });

  test.each(["etc/shop.conf", "/etc/../shadow", "/etc/shop/..", "/etc//shop", "/etc/shop/", "/"])(
    "with the path %s is refused",
    (path) => {
      expect(problems(withFile(path, { mode: "0644", content: "" }))).not.toEqual([]);
    },
  );

  test.each(["644", "0999", "rw-r--r--", 420])("with the mode %s is refused", (mode) => {
    expect(problems(withFile("/etc/shop.conf", { mode, content: "" }))).not.toEqual([]);
  });

  test.each(["../other", "shop/other", "Shop", ""])("of a service called %j is refused", (service) => {
    expect(problems({ ...makeBundle("shop", {}), service })).not.toEqual([]);
  });

  test.each(["0644", "0604", "0606", "0602", "0601"])("with a secret in a file of mode %s is refused", (mode) => {
    expect(problems(withFile("/etc/shop.conf", { mode, content: "password = @{redis.password:1}\n" }))).toEqual([
      `holds redis.password:1, but everybody may read it (${mode})`,
    ]);
  });

  test.each(["0600", "0640", "0660"])("with a secret in a file of mode %s is fine", (mode) => {
    expect(problems(withFile("/etc/shop.conf", { mode, content: "password = @{redis.password:1}\n" }))).toEqual([]);
  });

  test("with a certificate in a file for everybody is fine", () => {
    expect(
      problems(withFile("/etc/shop.crt", { mode: "0644", content: "@{endpoint.certificate:0123456789ab}" })),
    ).toEqual([]);
  });
});
