// The errors that the AWS SDK throws, by the classes and names that callers tell them apart with.

import {
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';

const METADATA = { httpStatusCode: 400, attempts: 3, totalRetryDelay: 200 };

/** Connection reset or request timeout, after the SDK's own retries: nobody knows whether the request was applied. */
export const networkError = (): Error =>
  Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });

/** The name was not resolved or the connection refused: the request was never sent. */
export const connectionError = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED'), { name: 'Error', code: 'ECONNREFUSED' });

export const throttled = (): Error =>
  new ProvisionedThroughputExceededException({
    message: 'The level of configured provisioned throughput for the table was exceeded.',
    $metadata: METADATA,
  });

/** SQS, EventBridge and others. */
export const throttlingException = (): Error =>
  Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $fault: 'client', $metadata: METADATA });

export const transactionConflict = (): Error =>
  new TransactionConflictException({ message: 'Transaction is ongoing for the item', $metadata: METADATA });

/** One item of the transaction has this reason, the others have none. */
export function transactionCancelledAt(index: number, items: number, code: string): Error {
  const reasons = Array.from({ length: items }, (_, at) =>
    at === index ? { Code: code, Message: 'Transaction is ongoing for the item' } : { Code: 'None' },
  );
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    CancellationReasons: reasons,
    $metadata: METADATA,
  });
}
