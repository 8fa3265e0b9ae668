// Puts a database back to what a backup holds, in the place of all that is in it now. The service
// must not run meanwhile; it finds out at its next start what it has to hear again.

// mongosh would keep a record of all that it does, until the disk is full.
config.set('disableLogging', true);

const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');
const zlib = require('zlib');

const { SERVICE, MONGODB_URI, BACKUPS, BACKUP } = process.env;
const GROUP = 1000;
const MINUTE = 60_000;

const folder = `${BACKUPS}/${SERVICE}`;
const newest = () => fs.readdirSync(folder).filter((it) => it.endsWith('.gz')).sort().pop();
const name = BACKUP || newest();

/** Hands the lines of the backup over, group by group. */
async function read(hear) {
  const input = fs.createReadStream(`${folder}/${name}`).pipe(zlib.createGunzip());
  const lines = readline.createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    await hear(next.value);
  }
}

/** A backup that was cut off, or is another service's, must not replace anything. */
async function check() {
  let first;
  let last;
  await read((text) => {
    first ??= text;
    last = text;
  });
  const [head, end] = [EJSON.parse(first), EJSON.parse(last)];
  if (head.service !== SERVICE) throw new Error(`${name} is a backup of ${head.service}`);
  if (!end.complete) throw new Error(`${name} is not complete`);
  return { at: head.at, documents: end.documents };
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
