// A recording's stay in the browser until it has arrived: encrypted, at most a day, and surviving the page.

const POUCH = "vcnb.recordings"; // the database; shared by all recorders of this address
const DAY_MS = 24 * 3600 * 1000;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Pieces of takes in IndexedDB, under AES-GCM with a key that only the library holds. */
class Pouch {
  static async open(bytes) {
    const pouch = new Pouch();
    pouch.key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    const opening = indexedDB.open(POUCH, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("takes", { keyPath: "id" });
      opening.result.createObjectStore("pieces", { keyPath: ["take", "seq"] });
    };
    pouch.database = await done(opening);
    for (const take of await pouch.all()) if (Date.now() - take.since > DAY_MS) await pouch.drop(take.id);
    return pouch;
  }

  store(name, mode = "readonly") {
    // Strict: on the disk when it says so, also if the machine goes down.
    return this.database.transaction(name, mode, mode === "readwrite" ? { durability: "strict" } : {}).objectStore(name);
  }

  all() { return done(this.store("takes").getAll()); }

  async sealed(bytes, about) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const additionalData = new TextEncoder().encode(about);
    return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, this.key, bytes) };
  }

  async opened({ iv, data }, about) {
    return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(about) }, this.key, data);
  }

  /** Note a take and what is known of it; again with more when it ends. */
  async note({ id, recorder, since, facts }) {
    const sealed = await this.sealed(new TextEncoder().encode(JSON.stringify(facts)), id);
    await done(this.store("takes", "readwrite").put({ id, recorder, since, ...sealed }));
  }

  async put(take, seq, bytes) {
    const sealed = await this.sealed(bytes, `${take}/${seq}`);
    await done(this.store("pieces", "readwrite").put({ take, seq, ...sealed }));
  }

  /** A take as it was kept; null where it was sealed with the key of another library. */
  async take(note) {
    const range = IDBKeyRange.bound([note.id, 0], [note.id, Infinity]);
    const rows = await done(this.store("pieces").getAll(range));
    try {
      const facts = JSON.parse(new TextDecoder().decode(await this.opened(note, note.id))), pieces = [];
      for (const row of rows) {
        if (row.seq !== pieces.length) break; // what comes after a hole cannot be placed
        pieces.push(new Uint8Array(await this.opened(row, `${note.id}/${row.seq}`)));
      }
      return { ...note, facts, pieces };
    } catch (error) {
      if (error.name === "OperationError") return null;
      throw error;
    }
  }

  async drop(take) {
    await done(this.store("pieces", "readwrite").delete(IDBKeyRange.bound([take, 0], [take, Infinity])));
    await done(this.store("takes", "readwrite").delete(take));
  }
}
