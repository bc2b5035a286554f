// The first ten calls of an integrator, with @grpc/grpc-js. See README.md for how to run it.
//
// Settings come from the environment:
//   ENTENTE_API_KEY  the key of your firm
//   ENTENTE_SERVER   where the server is; default http://127.0.0.1:50051
//   ENTENTE_CA       for https://, a file with the certificates to trust; default those of Node

import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

// Every call has a time limit: without one, gRPC waits for ever.
const MILLISECONDS_A_CALL = 10_000;
// How long to wait for an alert. The server raises it a moment after the events came in.
const MILLISECONDS_FOR_ALERTS = 30_000;
// What this program calls itself. It comes back in the journal, so that we know our own echo.
const ORIGIN = "first-ten-calls";
// Who we are in the partnership is party-1; the firm that owes us is party-2.
const [US, THEM] = ["party-1", "party-2"];
// gRPC itself tries again where the server could not be reached or was busy. That is safe for
// changes, too, since every one of them has a request id.
const RETRIES = JSON.stringify({
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.2s",
        maxBackoff: "2s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
      },
    },
  ],
});

// The contract is read as it is; nothing is generated.
const proto = fileURLToPath(new URL("../../proto", import.meta.url));
const contract = protoLoader.loadSync(
  [
    ...readdirSync(`${proto}/entente/v1`).map((file) => `entente/v1/${file}`),
    "google/rpc/status.proto",
    "google/rpc/error_details.proto",
  ],
  {
    includeDirs: [proto],
    longs: String, // 64-bit numbers do not fit into a JavaScript number.
    enums: String, // Names, not numbers.
    defaults: true, // Fields that were not sent have their default.
    oneofs: true, // entry.event tells which of its fields is set.
    json: true, // Opens google.protobuf.Any, in which details of errors come.
  },
);
const { entente } = grpc.loadPackageDefinition(contract);

// A connection: adds the key and the time limit to every call.
class Entente {
  constructor(server, apiKey) {
    const { protocol, host } = new URL(server);
    const secure = protocol === "https:";
    const authority = process.env.ENTENTE_CA;
    const credentials = secure
      ? grpc.credentials.createSsl(authority ? readFileSync(authority) : null)
      : grpc.credentials.createInsecure();
    const options = { "grpc.service_config": RETRIES };
    this.partnerships = new entente.v1.PartnershipService(host, credentials, options);
    this.sla = new entente.v1.SlaService(host, credentials, options);
    this.journal = new entente.v1.JournalService(host, credentials, options);
    this.metadata = new grpc.Metadata();
    this.metadata.set("authorization", `Bearer ${apiKey}`);
  }

  // Makes one call, for example `api.call(api.sla, "GetTicket", { name })`.
  call(service, method, request) {
    const deadline = Date.now() + MILLISECONDS_A_CALL;
    return promisify(service[method]).call(service, request, this.metadata, { deadline });
  }

  // Opens the stream of all that happens in a scope.
  watch(scope) {
    const deadline = Date.now() + MILLISECONDS_FOR_ALERTS;
    return this.journal.Watch({ scopes: [{ scope }] }, this.metadata, { deadline });
  }
}

// Prints one line.
function say(number, what, text) {
  console.log(`${String(number).padStart(2)}  ${what.padEnd(12)} ${text}`);
}

// The name of an enum's value as people write it: `TICKET_STATE_NEW` is `NEW`.
function word(value, prefix) {
  return value.slice(prefix.length);
}

// A ticket's id in a system, here our own or our partner's.
function reference(system, id) {
  return { system, type: "ticket", id };
}

// An instant as the contract has it.
function instant(seconds) {
  return { seconds, nanos: 0 };
}

// 1: does the key work, whose is it, and what may it do?
async function whoAmI(api) {
  const me = await api.call(api.partnerships, "WhoAmI", {});
  const may = me.permissions.map((each) => word(each, "PERMISSION_").toLowerCase());
  say(1, "who am I", `${me.firm} (${me.displayName}) may ${may.join(", ")}`);
}

// 2: a partnership with a firm that need not know of Entente yet.
async function createPartnership(api, run) {
  const request = {
    partnership: { displayName: "Acme and Night Desk" },
    partnerDisplayName: "Night Desk",
    role: "PARTY_ROLE_PRIME",
    partnerRole: "PARTY_ROLE_SUB",
    // Take one that you can find again after a crash: the id of the job or the row in your own
    // database that makes this call. A retry then finds what the first try made.
    requestId: `${run}-partnership`,
    origin: ORIGIN,
  };
  const made = await api.call(api.partnerships, "CreatePartnership", request);
  const again = await api.call(api.partnerships, "CreatePartnership", request);
  const state = word(made.state, "PARTNERSHIP_STATE_");
  const same = again.name === made.name ? "the same" : "another one";
  say(2, "partnership", `${made.name} is ${state}; the call again: ${same}`);
  return made.name;
}

// 3: what our own words for status and priority mean. Without it, tickets cannot count.
// States are told from the side of whoever owes: IN_PROGRESS is that Night Desk works, and the
// partner that it waits for is us.
async function writeMaps(api, partnership, run) {
  const statusMap = await api.call(api.sla, "UpdateStatusMap", {
    statusMap: {
      name: `${partnership}/statusMaps/helpdesk`,
      system: "helpdesk",
      entries: [
        { status: "New", state: "TICKET_STATE_NEW" },
        { status: "With Night Desk", state: "TICKET_STATE_IN_PROGRESS" },
        { status: "With us", state: "TICKET_STATE_WAITING_ON_PARTNER" },
        { status: "Waiting on customer", state: "TICKET_STATE_WAITING_ON_CLIENT" },
        { status: "Done", state: "TICKET_STATE_RESOLVED" },
      ],
    },
    allowMissing: true, // Create it if there is none yet.
    requestId: `${run}-status-map`,
    origin: ORIGIN,
  });
  const priorityMap = await api.call(api.sla, "UpdatePriorityMap", {
    priorityMap: {
      name: `${partnership}/priorityMaps/helpdesk`,
      system: "helpdesk",
      entries: [
        { sourcePriority: "Urgent", priority: 1 },
        { sourcePriority: "High", priority: 2 },
        { sourcePriority: "Normal", priority: 3 },
      ],
    },
    allowMissing: true,
    requestId: `${run}-priority-map`,
    origin: ORIGIN,
  });
  const [statuses, priorities] = [statusMap.entries.length, priorityMap.entries.length];
  say(3, "maps", `${statuses} statuses, ${priorities} priorities`);
}

// 4: what they owe us. A template brings targets, calendar, thresholds and escalations.
async function createAgreement(api, partnership, run) {
  const agreement = await api.call(api.sla, "CreateAgreement", {
    parent: partnership,
    agreementId: "desk",
    agreement: { obligor: THEM, beneficiary: US },
    template: "agreementTemplates/24x7-critical",
    timeZone: "Europe/Berlin",
    requestId: `${run}-agreement`,
    origin: ORIGIN,
  });
  const state = word(agreement.state, "AGREEMENT_STATE_");
  say(4, "agreement", `${agreement.displayName}: ${state}, ${agreement.targets.length} targets`);
}

// 5: what happened to a ticket: events, not states. The order does not matter.
async function ingest(api, partnership, opened) {
  const event = (number, hours, fields) => ({
    eventId: `4711-${number}`, // Unique for the ticket, for ever: use your audit row's id.
    ticket: reference("helpdesk", "4711"),
    occurTime: instant(opened + hours * 3600),
    ...fields,
  });
  const update = { activities: ["TICKET_ACTIVITY_UPDATE_GIVEN"] };
  const request = {
    parent: partnership,
    events: [
      event(1, 0, { status: "New", sourcePriority: "Normal", title: "Scanner does not scan" }),
      event(2, 1, { status: "With Night Desk", response: true }),
      event(3, 2, { status: "Waiting on customer" }),
      event(4, 4, { status: "With Night Desk" }),
      event(5, 8, update),
      event(6, 13, update),
    ],
    origin: ORIGIN,
  };
  const outcomes = [];
  for (let time = 1; time <= 2; time += 1) {
    // The second time nothing changes: events are known by their ids.
    const { results } = await api.call(api.sla, "BatchIngestEvents", request);
    // One result for each event; look at every one of them.
    const names = results.map((result) => word(result.outcome, "INGEST_OUTCOME_")).sort();
    const counted = [...new Set(names)].map(
      (name) => `${names.filter((each) => each === name).length} ${name}`,
    );
    outcomes.push(counted.join(", "));
  }
  say(5, "events", `${outcomes[0]}; the call again: ${outcomes[1]}`);
}

// 6: the tickets as they stand now, page by page.
async function listTickets(api, partnership) {
  const tickets = [];
  let pageToken = "";
  do {
    const request = { parent: partnership, pageSize: 100, pageToken };
    const page = await api.call(api.sla, "ListTickets", request);
    tickets.push(...page.tickets);
    pageToken = page.nextPageToken;
  } while (pageToken);
  const [{ name, title, state, priority, clocks }] = tickets;
  const met = clocks.filter((clock) => clock.verdict === "VERDICT_MET").length;
  const is = word(state, "TICKET_STATE_");
  say(6, "tickets", `${tickets.length}: "${title}" is ${is}, priority ${priority}`);
  say("", "", `${clocks.length} clocks, ${met} of them met`);
  return name;
}

// 7: our partner's number for the same ticket, as we keep it in a field of our own.
async function link(api, ticket, run) {
  const linked = await api.call(api.sla, "LinkTicket", {
    name: ticket,
    reference: reference("night-desk", "ND-88"),
    requestId: `${run}-link`,
    origin: ORIGIN,
  });
  const ids = linked.externalReferences.map(({ system, id }) => `${system} ${id}`);
  say(7, "link", ids.join(", "));
}

// 8: which promises are half used up, the most urgent first?
async function atRisk(api, partnership) {
  const request = { parent: partnership, atRiskBps: 5000 };
  const { clocks } = await api.call(api.sla, "ListClocks", request);
  for (const { clock, timeLeft } of clocks) {
    const kind = word(clock.type, "TARGET_TYPE_");
    const used = Math.floor(Number(clock.percentUsedBps) / 100);
    const minutes = Math.round(Number(timeLeft.seconds) / 60);
    say(8, "at risk", `${kind}: ${used} % used, ${minutes} minutes left, ${clock.obligor} owes`);
  }
}

// 9: why does the clock show what it shows? Every interval, with its rule and its event.
async function explain(api, ticket, opened) {
  const { clock, intervals } = await api.call(api.sla, "ExplainClock", {
    name: ticket,
    type: "TARGET_TYPE_RESOLUTION",
    // A fixed instant, so that the numbers are the same whenever you look. Default: now.
    asOfTime: instant(opened + 18 * 3600),
  });
  let total = 0;
  for (const { state, eventId, chargedTo, charged, consumed } of intervals) {
    const who = chargedTo.name || word(chargedTo.kind, "CHARGED_PARTY_KIND_").toLowerCase();
    const does = word(state, "CLOCK_STATE_");
    say(9, "explain", `${does} after ${eventId}: ${charged.seconds} s of ${who}`);
    total += Number(consumed.seconds);
  }
  const [shown, target] = [clock.consumed.seconds, clock.target.seconds];
  say("", "", `they add up to ${total} s; the clock shows ${shown} s of ${target} s`);
}

// 10: everything that happens, as it happens.
async function watch(api, partnership) {
  // Without a cursor from the beginning. Store the cursor of each answer together with what you
  // did about it, and send it after a restart: nothing is lost, nothing comes twice.
  const stream = api.watch(partnership);
  let ours = 0;
  try {
    for await (const answer of stream) {
      if (answer.event === "heartbeat") continue;
      const { origin, type, payload } = answer.entry;
      if (origin === ORIGIN) {
        ours += 1; // Our own echo: we know this already.
      } else if (type === "ticket.threshold_reached" || type === "ticket.breached") {
        const { reached } = JSON.parse(payload.toString("utf8"));
        const percent = Math.floor(reached.level.share / 100);
        const levels = (reached.escalation_levels ?? []).map((level) => `, tell ${level}`).join("");
        say(10, "watch", `${type}: ${percent} % of ${reached.target_type}${levels}`);
        if (levels) break;
      }
    }
  } finally {
    stream.on("error", () => {}); // What we cancel ourselves ends with an error, too.
    stream.cancel();
  }
  say("", "", ours > 0 ? "our own entries came, too, and were skipped" : "nothing of our own");
}

// What came with an error: decide by the code and the reason, never by the message, which is for
// people.
function details(error) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const status = bytes ? contract["google.rpc.Status"].deserialize(bytes) : { details: [] };
  const find = (type) => status.details.find((each) => each["@type"].endsWith(`/${type}`));
  return {
    code: grpc.status[error.code],
    reason: find("google.rpc.ErrorInfo")?.reason ?? "",
    violations: find("google.rpc.BadRequest")?.fieldViolations ?? [],
  };
}

// A request full of mistakes: all of them are named at once, and nothing is changed.
async function makeAMistake(api) {
  try {
    await api.call(api.partnerships, "CreatePartnership", {
      partnerDisplayName: "Night Desk",
      role: "PARTY_ROLE_PRIME",
    });
  } catch (error) {
    const { code, reason, violations } = details(error);
    say("", "a mistake", `${code}, ${reason}`);
    for (const { field, description } of violations) say("", "", `${field} ${description}`);
  }
}

const server = process.env.ENTENTE_SERVER ?? "http://127.0.0.1:50051";
const apiKey = process.env.ENTENTE_API_KEY;
if (!apiKey) {
  console.error("error: set ENTENTE_API_KEY; 'entente keys create' makes a key");
  process.exit(1);
}
const api = new Entente(server, apiKey);
const run = randomUUID();
const opened = Math.floor(Date.now() / 1000) - 18 * 3600;
await whoAmI(api);
const partnership = await createPartnership(api, run);
await writeMaps(api, partnership, run);
await createAgreement(api, partnership, run);
await ingest(api, partnership, opened);
const ticket = await listTickets(api, partnership);
await link(api, ticket, run);
await atRisk(api, partnership);
await explain(api, ticket, opened);
await watch(api, partnership);
await makeAMistake(api);
