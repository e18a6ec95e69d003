// Asks people whether a recovery may overwrite something: remembers the task token, then tells the alerts topic what would be
// done and the exact commands that approve or refuse it. Asked again, it tells again: at least once. When the question was answered
// while the workflow tried its task again, the answer is told to the new token, which nobody else knows.

import type { SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { topicSubject } from '../alert/subject.ts';
import type { Progress } from '../recover/progress.ts';
import type { Approvals } from './approvals.ts';
import { tellWorkflow } from './tell-workflow.ts';

export interface AskDeps {
  approvals: Pick<Approvals, 'ask' | 'get'>;
  sfn: Pick<SFNClient, 'send'>;
  sns: Pick<SNSClient, 'send'>;
  topicArn: string;
  now(): number;
}

export interface AskInput {
  token: string;
  /** How long the workflow waits. */
  timeoutSeconds: number;
  progress: Pick<Progress, 'id' | 'jobs' | 'request' | 'findings'>;
}

/** @example await askApproval(deps, { token, timeoutSeconds: 3_600, progress }); */
export async function askApproval(deps: AskDeps, { token, timeoutSeconds, progress }: AskInput) {
  const { id, request, jobs, findings } = progress;
  const now = deps.now();
  const until = now + timeoutSeconds * 1_000;
  const asking = jobs.filter(({ phase }) => phase === 'ask');
  const what = asking.map(({ repair, summary }) => `${repair}: ${summary ?? ''}`);
  const question = asking.map(({ repair, operationId }) => operationId ?? repair).join(',');
  const { requestedBy, reason, trigger } = request;
  const isAsked = await deps.approvals.ask({ id, token, question, what, requestedBy, askedAt: now, until });
  if (!isAsked) {
    const { decision, decidedBy = 'somebody' } = (await deps.approvals.get(id)) ?? {};
    if (decision !== undefined) await tellWorkflow(deps.sfn, token, { decision, by: decidedBy });
    return { asked: false };
  }
  await deps.sns.send(
    new PublishCommand({
      TopicArn: deps.topicArn,
      Subject: topicSubject(`Recovery ${id} needs an approval`),
      Message: JSON.stringify(
        {
          id,
          what,
          findings: findings.map(({ explanation }) => explanation),
          requestedBy,
          reason,
          trigger,
          until: new Date(until).toISOString(),
          approve: `npx event-recovery approve ${id} --question ${question}`,
          refuse: `npx event-recovery refuse ${id} --question ${question}`,
        },
        undefined,
        2,
      ),
    }),
  );
  return { asked: true };
}
