// Keeps the database of one service as it has to be; mongosh runs it beside every mongod.
//
// In the first pod it makes the members one replica set and its users what the Secrets say: once,
// or as often as it likes. In every pod it tells by a file whether the member keeps up.

// As the container's first process it would ignore SIGTERM, and only be killed at the end of the
// pod's grace period.
process.once('SIGTERM', () => process.exit(0));

// mongosh would keep a record of all that it does, until the disk is full.
config.set('disableLogging', true);

const fs = require('fs');

const env = process.env;
const members = env.MEMBERS.split(',');
const isFirst = env.POD.endsWith('-0');
const keepsUp = env.KEEPS_UP || '/tmp/keeps-up';
const own = `mongodb://${env.OWN || '127.0.0.1:27017'}/?directConnection=true`;
const bounds = 'serverSelectionTimeoutMS=3000&connectTimeoutMS=3000';
const tls = env.TLS_CA_FILE ? `&tls=true&tlsCAFile=${env.TLS_CA_FILE}` : '';
const ALREADY_INITIALIZED = 23;

const administrator = `admin:${encodeURIComponent(env.ADMIN_PASSWORD)}`;
const everywhere = `mongodb://${administrator}@${members.join(',')}/?replicaSet=rs0`;

const clients = new Map();
let areGranted = false;

/** The admin database there, over a connection that stays. */
function connect(uri) {
  if (!clients.has(uri)) clients.set(uri, new Mongo(`${uri}&${bounds}${tls}`));
  return clients.get(uri).getDB('admin');
}

/** What a member says of itself; null while it cannot be asked. */
function hello(member) {
  try {
    return connect(`mongodb://${member}/?directConnection=true`).hello();
  } catch {
    return null;
  }
}

/**
 * Makes this member a set of one. Not while another cannot be asked: if that one is in a set, this
 * one lost its data, and the set takes it in again by itself.
 */
function initiate(admin) {
  const others = members.slice(1).map((member) => hello(member));
  if (others.includes(null)) throw new Error('not all members can be asked');
  if (others.some((other) => other.setName)) return;
  const config = { _id: 'rs0', members: [{ _id: 0, host: members[0] }] };
  try {
    admin.runCommand({ replSetInitiate: config });
    print('the replica set begins');
  } catch (error) {
    if (error.code !== ALREADY_INITIALIZED) throw error;
  }
}

/** The first user. Only from this pod, and only while there is none, it takes no password. */
function appoint(admin) {
  admin.runCommand({ createUser: 'admin', pwd: env.ADMIN_PASSWORD, roles: ['root'] });
  print('the administrator is there');
}

/** A user with this one right, whose password is the one in the Secret. */
function grant(database, user, pwd, role) {
  const roles = [{ role, db: env.SERVICE }];
  const known = database.getUser(user) !== null;
  database.runCommand({ [known ? 'updateUser' : 'createUser']: user, pwd, roles });
}

/** Takes those members in that answer, one at a time, as replica sets want it. */
function gather(admin) {
  const config = admin.runCommand({ replSetGetConfig: 1 }).config;
  const isNew = (host) => !config.members.some((member) => member.host === host);
  const host = members.filter(isNew).find((member) => hello(member) !== null);
  if (host === undefined) return;
  const highest = Math.max(...config.members.map((member) => member._id));
  config.members.push({ _id: highest + 1, host });
  config.version += 1;
  admin.runCommand({ replSetReconfig: config });
  print(`${host} is a member`);
}

/** All that the first pod sees to. */
function rule(state) {
  const direct = connect(own);
  if (!state.setName) return initiate(direct);
  let admin;
  try {
    admin = connect(everywhere);
    admin.runCommand({ ping: 1 });
  } catch (error) {
    if (!state.isWritablePrimary) throw error;
    return appoint(direct);
  }
  if (!areGranted) {
    const database = admin.getSiblingDB(env.SERVICE);
    grant(database, env.SERVICE, env.MONGODB_PASSWORD, 'readWrite');
    grant(database, 'backup', env.BACKUP_PASSWORD, 'read');
    grant(database, 'auditor', env.AUDITOR_PASSWORD, 'read');
    areGranted = true;
    print('the users are as the Secrets say');
  }
  return gather(admin);
}

/** One look at the member, and what is to be done about it. */
function round() {
  const state = connect(own).hello();
  if (isFirst) rule(state);
  if (state.isWritablePrimary || state.secondary) fs.writeFileSync(keepsUp, '');
  else fs.rmSync(keepsUp, { force: true });
}

for (;;) {
  try {
    round();
  } catch (error) {
    fs.rmSync(keepsUp, { force: true });
    print(`not yet: ${error.message}`);
  }
  fs.writeFileSync(`${keepsUp}.looked`, '');
  sleep(Number(env.PAUSE_MS || 5000));
}
