// What is known of the network, and from where. Every view follows from what knowledgeOf returns, and asks nothing else
// whether what it shows is so now.

const quietFor = 90_000; // milliseconds after which a tab that tells nothing isn't taken for connected

/**
 * knowledgeOf puts together what is shown, what the network worker told last, and the time.
 *
 * phase is one of
 *   starting   nothing is known yet
 *   live       control is followed
 *   following  another tab has the connection
 *   resumed    what was saved is shown, and control is being reached
 *   offline    control isn't heard, for the reason in why
 *   approval   an administrator has to let this device in
 *   login, expired  control wants the user to sign in, because the key has expired or else
 *   forgotten, empty  there is no network to show
 *
 * why is 'lost', 'unreached', 'silent' or 'off'. source is where what is shown comes from: 'control', 'saved' or 'none'.
 * current is whether it is so now, as far as anyone can know.
 *
 * @param {import('./types').Shown} shown
 * @param {import('./types').Told} told
 * @returns {import('./types').Knowledge}
 */
export function knowledgeOf(shown, told, now = Date.now()) {
  const source = !shown.network ? 'none' : shown.live ? 'control' : 'saved';
  const { phase, why } = phaseOf(shown, told);
  const elsewhere = told.waiting && told.elsewhere?.live && now - told.elsewhere.at < quietFor ? told.elsewhere : undefined;
  const current = source !== 'none' && (phase === 'live' || (phase === 'following' && Boolean(elsewhere)));
  return { phase, why, source, current, heardAt: told.waiting ? told.elsewhere?.heardAt : told.contact?.at };
}

/**
 * @param {import('./types').Shown} shown
 * @param {import('./types').Told} told
 * @returns {Pick<import('./types').Knowledge, 'phase' | 'why'>}
 */
function phaseOf({ started, network, live }, { state, contact, waiting, wanted, forgotten }) {
  if (!started) return { phase: 'starting' };
  if (state?.phase === 'login') return { phase: state.keyExpired ? 'expired' : 'login' };
  if (state?.phase === 'approval') return { phase: 'approval' };
  if (!network) return { phase: forgotten ? 'forgotten' : 'empty' };
  if (waiting) return { phase: 'following' };
  if (!wanted) return { phase: 'offline', why: 'off' };
  if (state?.error) return { phase: 'offline', why: state.fullMaps > 0 ? 'lost' : 'unreached' };
  if (state?.phase === 'live' && contact?.quiet) return { phase: 'offline', why: 'silent' };
  if (live && state?.phase === 'live') return { phase: 'live' };
  return { phase: 'resumed' };
}

/** statusOf puts into words whether a peer is online, or was when that was last known. */
export function statusOf({ status }, current) {
  if (status === 'gone') return 'left the network';
  if (status === 'expired') return 'key expired';
  return status === 'online' && !current ? 'was online' : status;
}
