import { setTimeout as sleep } from 'node:timers/promises';
import type { DraftCase } from '../../contracts/index.ts';

/**
 * A simulated reviewer: a client of the API like any other, so that the demonstration's way goes on to the case system
 * without a click. Confirms the first draft that has a limit broken on good evidence, after a look of some seconds, and
 * leaves every other draft to the person in front of the console.
 */
export interface Reviewer {
  consider(draft: DraftCase): void;
  stop(): Promise<void>;
}

const LOOK_MS = 6000;
const TRIES = 3;

export function simulatedReviewer(url: string, warn: (text: string) => void): Reviewer {
  const ending = new AbortController();
  let chosen: string | null = null;
  let work: Promise<void> = Promise.resolve();
  return {
    consider(draft) {
      if (chosen !== null || draft.state !== 'draft' || draft.route.unit === null) return;
      if (!draft.findings.some((finding) => finding.kind === 'limit-exceeded')) return;
      chosen = draft.id;
      work = confirm(url, draft.id, ending.signal).catch((error: unknown) => {
        if (!ending.signal.aborted)
          warn(`the simulated reviewer could not confirm ${draft.number}: ${String(error)}`);
      });
    },
    async stop() {
      ending.abort();
      await work;
    },
  };
}

/** The draft may be rewritten while the reviewer looks at it: then the version differs, and it is read again. */
async function confirm(url: string, id: string, signal: AbortSignal): Promise<void> {
  await sleep(LOOK_MS, undefined, { signal });
  const draftUrl = `${url}/api/draft-cases/${encodeURIComponent(id)}`;
  for (let tries = 1; ; tries += 1) {
    const draft = (await (await fetch(draftUrl, { signal })).json()) as DraftCase;
    const answer = await fetch(`${draftUrl}/confirm`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({
        version: draft.version,
        reason: '演示：由模拟审核员确认 Demo: confirmed by the simulated reviewer',
      }),
    });
    if (answer.ok) return;
    if (answer.status !== 409 || tries === TRIES)
      throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  }
}
