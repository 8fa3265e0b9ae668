// Writes all that a database holds at one moment into a file: a document a line, as MongoDB's
// canonical Extended JSON, compressed. The last line says that nothing is missing.

// As the container's first process it would ignore SIGTERM, and only be killed at the end of the
// pod's grace period.
process.once('SIGTERM', () => process.exit(143));

// mongosh would keep a record of all that it does, until the disk is full.
config.set('disableLogging', true);

const fs = require('fs');
const zlib = require('zlib');

const { SERVICE, MONGODB_URI, BACKUPS, KEEP } = process.env;
const CHUNK = 1 << 20;
/** Longer than a backup may take, in ms. */
const DAY = 86_400_000;
const ENDING = '.ndjson.gz';

const at = new Date();
const folder = `${BACKUPS}/${SERVICE}`;
const name = `${at.toISOString().replace(/[:.]/g, '-')}${ENDING}`;
fs.mkdirSync(folder, { recursive: true });

// What an earlier one that broke off left behind, which nobody ends.
for (const part of fs.readdirSync(folder).filter((it) => it.endsWith('.part'))) {
  if (fs.statSync(`${folder}/${part}`).mtimeMs < at - DAY) fs.rmSync(`${folder}/${part}`);
}
const file = fs.openSync(`${folder}/${name}.part`, 'w', 0o640);

let pending = '';

/** What waits goes to the file once it is large. */
function flush(least) {
  if (pending.length < least) return;
  fs.writeSync(file, zlib.gzipSync(pending));
  pending = '';
}

/** These two end lines for some who read them, and JSON leaves them as they are. */
function escaped(text) {
  return text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function say(value) {
  pending += `${escaped(EJSON.stringify(value, { relaxed: false }))}\n`;
  flush(CHUNK);
}

const mongo = new Mongo(MONGODB_URI);
const snapshot = mongo.startSession({ snapshot: true }).getDatabase(SERVICE);
const collections = mongo.getDB(SERVICE).getCollectionNames();
let documents = 0;

say({ service: SERVICE, at });
for (const collection of collections.filter((it) => !it.startsWith('system.')).sort()) {
  say({ collection });
  // Else a whole number would lose whether it is an Int32 or a Double.
  const options = { promoteValues: false };
  snapshot.getCollection(collection).find({}, {}, options).batchSize(1000).forEach((document) => {
    say(document);
    documents += 1;
  });
}
say({ complete: true, documents });
flush(0);
fs.fsyncSync(file);
fs.closeSync(file);
fs.renameSync(`${folder}/${name}.part`, `${folder}/${name}`);
print(`${SERVICE}: ${documents} documents of ${at.toISOString()} in ${name}`);

const old = fs.readdirSync(folder).filter((it) => it.endsWith(ENDING)).sort().slice(0, -Number(KEEP));
for (const each of old) fs.rmSync(`${folder}/${each}`);
