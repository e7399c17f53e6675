/** Which mirrors and apt settings the hosts use: the machine's own, so that they work wherever the machine's do. */

export interface Mirrors {
  archive: string;
  security: string;
}

export const debianDefault: Mirrors = {
  archive: "http://deb.debian.org/debian",
  security: "http://security.debian.org/debian-security",
};

interface Source {
  uris: string[];
  suites: string[];
  components: string[];
}

const codename = /^(bullseye|bookworm|trixie|forky|duke|sid)$/;
const alias = /^(stable|oldstable|testing|unstable)$/;

/** Reads the texts of sources.list and *.sources. Only Debian's own archive counts; a machine without it (Ubuntu, for
 * one) yields Debian's default. */
export function deriveMirrors(texts: readonly string[]): Mirrors {
  const sources = texts.flatMap((text) => (/^\s*types\s*:/im.test(text) ? parseStanzas(text) : parseLines(text)));
  const debian = sources.filter((source) => source.components.includes("main"));
  const archive = findUri(debian, (suite, uri) => isDebian(suite.replace(/-(updates|backports)$/, ""), uri));
  const security = findUri(debian, (suite, uri) => {
    const base = suite.replace(/(-security|\/updates)$/, "");
    return base !== suite && isDebian(base, uri);
  });
  if (!archive) return debianDefault;
  return { archive, security: security ?? debianDefault.security };
}

/** deb822 text for /etc/apt/sources.list.d. */
export function renderSources(mirrors: Mirrors, suite: string): string {
  const stanza = (uri: string, suites: string) =>
    [
      "Types: deb",
      `URIs: ${uri}`,
      `Suites: ${suites}`,
      "Components: main",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
    ].join("\n");
  return `${stanza(mirrors.archive, `${suite} ${suite}-updates`)}\n${stanza(mirrors.security, `${suite}-security`)}`;
}

/** The lines of `apt-config dump` that decide whether the mirrors can be reached and believed. A proxy on the machine's
 * loopback is left out: hosts cannot reach it. */
export function deriveAptSettings(dump: string): string {
  const wanted =
    /^Acquire::(https?::(Proxy|Verify-Peer|Verify-Host)\b|Check-Valid-Until|Check-Date|Retries|ForceIPv4)/i;
  const local = /"\w+:\/\/([^@/]*@)?(127\.|localhost|\[::1\])/;
  const lines = dump.split("\n").filter((line) => wanted.test(line) && / "[^"]+";$/.test(line) && !local.test(line));
  return lines.map((line) => `${line}\n`).join("");
}

function isDebian(suite: string, uri: string): boolean {
  // "stable main" is also what other vendors call theirs.
  return codename.test(suite) || (alias.test(suite) && /debian/i.test(uri));
}

function findUri(sources: Source[], matches: (suite: string, uri: string) => boolean): string | undefined {
  for (const { uris, suites } of sources) {
    const uri = uris.find((candidate) => suites.some((suite) => matches(suite, candidate)));
    if (uri) return uri.replace(/\/+$/, "");
  }
  return undefined;
}

function parseLines(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match?.[1] || !match[2] || !match[3]) return [];
    return [{ uris: usable([match[1]]), suites: [match[2]], components: match[3].trim().split(/\s+/) }];
  });
}

function parseStanzas(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const unfolded = stanza.replace(/^#.*\n?/gm, "").replace(/\n[ \t]+/g, " ");
    const field = (name: string) => {
      const value = new RegExp(`^${name}\\s*:(.*)$`, "im").exec(unfolded)?.[1] ?? "";
      return value.trim().split(/\s+/).filter(Boolean);
    };
    if (!field("Types").includes("deb") || field("Enabled")[0]?.toLowerCase() === "no") return [];
    return [{ uris: usable(field("URIs")), suites: field("Suites"), components: field("Components") }];
  });
}

/** Only what debootstrap understands too. */
function usable(uris: string[]): string[] {
  return uris.filter((uri) => /^https?:\/\//.test(uri));
}
