// docs/operations/restore.md: every request in it is one that the function takes, and every code that it can answer is listed.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkRestoreRequest } from '../../../lib/recovery/restore/request.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/operations/restore.md'), 'utf8');
const requests = [...page.matchAll(/^```json\n([\s\S]*?)^```$|`(\{ "action".*?\})`/gm)].map(
  ([, block, inline]) => block ?? inline ?? '',
);

describe('the page about restores', () => {
  it.each(requests)('shows a request that is understood: %s', (text) => {
    expect(checkRestoreRequest(JSON.parse(text))).toMatchObject({ action: expect.any(String) });
  });

  it('shows every request that is an operator’s', () => {
    const actions = requests.map((text) => (JSON.parse(text) as { action: string }).action);
    expect(new Set(actions)).toEqual(new Set(['plan', 'apply', 'status', 'cancel', 'incidents', 'settle']));
  });

  it('names every code that the restore and its reading of the archive give', () => {
    const codes = ['lib/recovery/restore', 'lib/recovery/archive/read-export.ts'].flatMap((place) => {
      const path = join(root, place);
      const files = place.endsWith('.ts') ? [path] : readdirSync(path).map((file) => join(path, file));
      return files.flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/(?:EventRecoveryError|InvalidInputError)\(\s*'([A-Z_]+)'/g)].map(
          ([, code = '']) => code,
        ),
      );
    });
    expect(codes.length).toBeGreaterThan(10);
    // A retry helps by itself; it is thrown, not answered.
    const answered = codes.filter((code) => code !== 'APPEND_CONTENDED');
    expect(answered.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });
});
