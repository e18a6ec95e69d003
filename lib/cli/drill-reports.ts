// The reports that recoveries have stored in the archive bucket, copied into a folder as they are: one name per scenario, and a
// number when it had several.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ScenarioResult } from '../recovery/drill/scenario.ts';
import type { DrillSystem } from '../recovery/drill/system.ts';

const FORMATS = ['json', 'md', 'html'] as const;

/** Returns the files that were written. @throws what S3 says when a report is not there */
export async function saveReports(
  system: Pick<DrillSystem, 'clientConfig' | 'outputs'>,
  scenarios: readonly Pick<ScenarioResult, 'name' | 'recoveries'>[],
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  // One bucket name per host would need a name service of its own.
  const s3 = new S3Client({ ...system.clientConfig, forcePathStyle: true });
  const files: string[] = [];
  try {
    for (const { name, key } of reportNames(scenarios)) {
      for (const format of FORMATS) {
        const Key = key.replace(/\.html$/, `.${format}`);
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: system.outputs.ArchiveBucketName, Key }));
        const file = join(folder, `${name}.${format}`);
        await writeFile(file, (await Body?.transformToString()) ?? '');
        files.push(file);
      }
    }
  } finally {
    s3.destroy();
  }
  return files;
}

/** `poison-message-1`, `poison-message-2`; without a number when there is one. Pure. */
export const reportNames = (
  scenarios: readonly Pick<ScenarioResult, 'name' | 'recoveries'>[],
): { name: string; key: string }[] =>
  scenarios.flatMap(({ name, recoveries }) =>
    recoveries.map(({ key }, index) => ({ name: recoveries.length === 1 ? name : `${name}-${index + 1}`, key })),
  );
