// Puts a database back to what a backup holds, in the place of all that is in it now. The service
// must not run meanwhile; it finds out at its next start what it has to hear again.

// As the container's first process it would ignore SIGTERM, and only be killed at the end of the
// pod's grace period.
process.once('SIGTERM', () => process.exit(143));

// mongosh would keep a record of all that it does, until the disk is full.
config.set('disableLogging', true);

const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');

const { SERVICE, MONGODB_URI, BACKUPS, BACKUP } = process.env;
const GROUP = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const folder = `${BACKUPS}/${SERVICE}`;
const newest = () => fs.readdirSync(folder).filter((it) => it.endsWith('.gz')).sort().pop();
const name = BACKUP || newest();

/** Hands the lines of the backup over, one by one; nothing but \n ends a line. */
async function read(hear) {
  const file = fs.createReadStream(`${folder}/${name}`);
  const input = file.pipe(zlib.createGunzip()).setEncoding('utf8');
  file.on('error', (error) => input.destroy(error));
  const chunks = input[Symbol.asyncIterator]();
  let rest = '';
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    const lines = (rest + next.value).split('\n');
    rest = lines.pop();
    for (const line of lines) await hear(line);
  }
}

/** A backup that was cut off or spoilt, or is another service's, must not replace anything. */
async function check() {
  let head;
  let end;
  let documents = 0;
  await read((text) => {
    end = EJSON.parse(text);
    head ??= end;
    if (end._id !== undefined) documents += 1;
  });
  if (head?.service !== SERVICE) throw new Error(`${name} is a backup of ${head?.service}`);
  if (!end.complete) throw new Error(`${name} is not complete`);
  if (end.documents !== documents) throw new Error(`${name} holds ${documents} documents, not ${end.documents}`);
  return { at: head.at, documents };
}

/** Takes out all that is in the database now. */
function clear(database) {
  for (const collection of database.getCollectionNames()) {
    if (!collection.startsWith('system.')) database.getCollection(collection).drop();
  }
}

/** Puts in all that the backup holds. */
async function fill(database) {
  let into;
  let waiting = [];
  const write = () => {
    if (waiting.length > 0) into.insertMany(waiting, { writeConcern: { w: 'majority' } });
    waiting = [];
  };
  await read((text) => {
    const value = EJSON.parse(text, { relaxed: false });
    if (value._id !== undefined) {
      if (waiting.push(value) >= GROUP) write();
    } else if (value.collection !== undefined) {
      write();
      into = database.getCollection(value.collection);
    }
  });
  write();
}

async function restore() {
  const { at, documents } = await check();
  const hours = ((Date.now() - at.getTime()) / HOUR).toFixed(1);
  print(`${SERVICE} becomes what it was ${hours} hours ago, at ${at.toISOString()}, by ${name}`);
  const database = new Mongo(MONGODB_URI).getDB(SERVICE);
  clear(database);
  await fill(database);
  // A new life of the database: copies are heard anew, and all events since shortly before.
  const life = {
    generation: crypto.randomBytes(6).toString('hex'),
    declared: false,
    hear_since: new Date(at.getTime() - 10 * MINUTE),
  };
  database.getCollection('frame').replaceOne({ _id: 'copies' }, life, { upsert: true });
  print(`${SERVICE} is what it was at ${at.toISOString()}: ${documents} documents of ${name}`);
}

restore();
