import { describe, expect, test } from "vitest";
import { debianDefault, deriveAptSettings, deriveMirrors, renderSources } from "../../../scripts/lab/apt-sources.ts";

const deb822 = `# made by an installer
Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;

describe("the hosts' mirrors", () => {
  test("are the machine's own, from deb822 sources", () => {
    expect(deriveMirrors([deb822])).toEqual({
      archive: "http://mirror.example/debian",
      security: "http://mirror.example/debian-security",
    });
  });

  test("are the machine's own, from one-line sources", () => {
    const lines = `
# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/proxy/os trixie main non-free-firmware # ours
deb https://mirror.example/security bullseye/updates main`;
    expect(deriveMirrors([lines])).toEqual({
      archive: "https://mirror.example/proxy/os",
      security: "https://mirror.example/security",
    });
  });

  test("are not another vendor's, whatever its suite is called", () => {
    const vendors = `
deb https://dl.example/linux/chrome/deb/ stable main
deb https://apt.example/pgdg bookworm-pgdg main
deb https://download.example/linux/debian bookworm stable
deb https://packages.example/apt cloud-sdk-bookworm main`;
    expect(deriveMirrors([vendors])).toEqual(debianDefault);
  });

  test("are Debian's default on a machine with another archive, as on Ubuntu", () => {
    expect(deriveMirrors(["deb http://mirror.example/ubuntu noble main universe"])).toEqual(debianDefault);
  });

  test("skip stanzas that are switched off and addresses debootstrap does not understand", () => {
    const off = `${deb822.split("\n\n")[0]}\nEnabled: no\n`;
    const odd = "deb cdrom:[Debian]/ bookworm main\ndeb mirror+file:/etc/apt/mirrors.list bookworm main\n";
    expect(deriveMirrors([off, odd])).toEqual(debianDefault);
  });

  test("keep Debian's default for security where the machine names only the archive", () => {
    expect(deriveMirrors(["deb http://mirror.example/debian stable main"])).toEqual({
      archive: "http://mirror.example/debian",
      security: debianDefault.security,
    });
  });

  test("are written with all three suites", () => {
    const sources = renderSources({ archive: "http://a.example/debian", security: "http://s.example/sec" }, "trixie");
    expect(sources).toBe(`Types: deb
URIs: http://a.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://s.example/sec
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
  });
});

describe("the hosts' apt settings", () => {
  test("are those that decide whether mirrors are reached and believed", () => {
    const dump = `APT "";
Acquire::AllowInsecureRepositories "0";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy "";
Acquire::Check-Valid-Until "false";
Acquire::Languages:: "none";
`;
    expect(deriveAptSettings(dump)).toBe(`Acquire::http::Proxy "http://proxy.example:3128";
Acquire::Check-Valid-Until "false";
`);
  });

  test("leave out a proxy on the machine's loopback", () => {
    const dump = `Acquire::http::Proxy "http://127.0.0.1:3142";\nAcquire::https::Proxy "http://u:p@localhost:3142";\n`;
    expect(deriveAptSettings(dump)).toBe("");
  });
});
