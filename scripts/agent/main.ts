// harbor-ha-agent: one program per node. Without arguments the daemon; it never promotes.
//   facts          what is seen here, once, as JSON
//   examine        a closer look, for `doctor`, as JSON
//   gate SERVICE   whether PostgreSQL or Redis may start, as exit code
//   record         one request to the cluster record (JSON on stdin), the answer as JSON
//   owns TOKEN     exit code 0 only if the newest entry of the record is the intent with this token
//   relay SOCKET   stdin and stdout are the unix socket's
//   notify-test    a message to people, by the ways that are configured
//   record-child   the process that touches the record's storage, and may hang
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { ports } from "../../components/model/ports.ts";
import { objectionTo } from "../record/belief.ts";
import { serveRecord } from "../record/child.ts";
import { readBootFacts } from "./boot-facts.ts";
import { Daemon } from "./daemon.ts";
import { openDoor } from "./door.ts";
import { examine } from "./examine.ts";
import { collectFacts } from "./facts.ts";
import { gate } from "./gate.ts";
import { deliver, messageOf } from "./notify.ts";
import { openRecord, readSettings, recordAt } from "./settings.ts";

const [, , verb, argument] = process.argv;

function serve() {
  const settings = readSettings();
  const daemon = new Daemon(settings);
  createServer((request, response) => {
    const answer = daemon.answer(request.url ?? "");
    response.writeHead(answer ? (answer.ok ? 200 : 503) : 404).end(answer?.text);
  }).listen(ports.roles, settings.self.address);
  openDoor(daemon);
  void daemon.run();
}

async function owns(token: string) {
  const objection = objectionTo(token, (await readBootFacts(readSettings())).belief);
  if (!objection) return;
  console.error(objection);
  process.exit(1);
}

/** Ends when either side does. */
function relay(path: string) {
  const socket = connect(path);
  process.stdin.pipe(socket).pipe(process.stdout);
  socket.on("error", () => process.exit(1)).on("close", () => process.exit(0));
}

async function notifyTest() {
  const settings = readSettings();
  if (!settings.notify) throw new Error("notify is not configured");
  const sentence = "this is a test: nothing is wrong";
  await deliver(settings.notify, messageOf({ id: "test", state: "event", severity: "info", sentence }, settings), 1);
}

/** `at`: another place than the configured one, with its keys. */
async function askRecord(text: string) {
  const { at, ...request } = JSON.parse(text);
  const record = at ? recordAt(at) : openRecord(readSettings());
  try {
    console.log(JSON.stringify((await record.ask(request, 30_000)) ?? null));
  } finally {
    record.close();
  }
}

switch (verb) {
  case undefined:
    serve();
    break;
  case "facts":
    void collectFacts(readSettings()).then((facts) => console.log(JSON.stringify(facts)));
    break;
  case "examine":
    void examine().then((examination) => console.log(JSON.stringify(examination)));
    break;
  case "gate":
    void gate(argument).then((code) => process.exit(code));
    break;
  case "record":
    void askRecord(readFileSync(0, "utf8"));
    break;
  case "owns":
    void owns(argument ?? "");
    break;
  case "relay":
    relay(argument ?? "");
    break;
  case "notify-test":
    void notifyTest();
    break;
  case "record-child":
    void serveRecord();
    break;
  default:
    throw new Error(`unknown verb ${verb}`);
}
