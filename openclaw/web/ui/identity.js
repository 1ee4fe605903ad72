// The identity of this browser: an Ed25519 key that stays in IndexedDB and cannot be read out, not even by us.

const DATABASE = "openclaw";
const STORE = "identity";
const encoder = new TextEncoder();

/** The browser cannot make or keep a key; `message` says why in a sentence. */
export class NoIdentity extends Error {}

function base64url(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function openDatabase() {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return settled(opening);
}

async function makeKeys() {
  try {
    return await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  } catch (error) {
    throw new NoIdentity(
      "This browser cannot make Ed25519 keys, which the gateway asks for. Use a current Chrome, Edge, Firefox or Safari.",
      { cause: error },
    );
  }
}

/** Keep the first pair of keys that any tab makes: `add` of one transaction fails if another tab was faster. */
async function keptKeys() {
  const database = await openDatabase();
  const read = () => settled(database.transaction(STORE).objectStore(STORE).get("device"));
  const kept = await read();
  if (kept) return kept;
  const made = await makeKeys();
  try {
    await settled(database.transaction(STORE, "readwrite").objectStore(STORE).add(made, "device"));
    return made;
  } catch (error) {
    const others = await read();
    if (others) return others;
    throw error;
  }
}

async function keys() {
  try {
    return await keptKeys();
  } catch (error) {
    if (error instanceof NoIdentity) throw error;
    // A private window may have no database; the identity then lasts as long as the page.
    console.warn("The browser's identity cannot be kept.", error);
    return makeKeys();
  }
}

/** The identity of this browser, made on first use. */
export async function loadIdentity() {
  if (!window.isSecureContext || !window.crypto?.subtle) {
    throw new NoIdentity(
      "This page was opened over plain HTTP from another machine, where browsers keep back the cryptography that the " +
        "gateway asks for. Open it over HTTPS (for instance with Tailscale Serve), or as http://localhost through an " +
        "SSH tunnel.",
    );
  }
  const pair = await keys();
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  const id = hex(await crypto.subtle.digest("SHA-256", raw));
  return {
    id,
    publicKey: base64url(raw),

    /** The `device` of a connect request: a signature over what is asked for and over the gateway's nonce. */
    async introduce({ client, role, scopes, token, nonce, signedAt }) {
      const claim = ["v2", id, client.id, client.mode, role, scopes.join(","), signedAt, token, nonce].join("|");
      const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, encoder.encode(claim));
      return { id, publicKey: base64url(raw), signature: base64url(signature), signedAt, nonce };
    },
  };
}
