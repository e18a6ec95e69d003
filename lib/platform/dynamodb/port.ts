// The one door to DynamoDB: document-style calls, each a single request. Two engines stand behind it: the AWS SDK
// (`createDynamo`) and the memory engine (`memory/`), which runs the same expressions under a virtual clock. The
// contract suite runs on both, so a store has ONE implementation and two engines (ADR 0001).

import type {
  BatchGetCommandInput,
  BatchGetCommandOutput,
  BatchWriteCommandInput,
  BatchWriteCommandOutput,
  DeleteCommandInput,
  DeleteCommandOutput,
  GetCommandInput,
  GetCommandOutput,
  PutCommandInput,
  PutCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  ScanCommandInput,
  ScanCommandOutput,
  TransactWriteCommandInput,
  TransactWriteCommandOutput,
  UpdateCommandInput,
  UpdateCommandOutput,
} from '@aws-sdk/lib-dynamodb';

type Bare<Output> = Omit<Output, '$metadata'>;

export interface Dynamo {
  get(input: GetCommandInput): Promise<Bare<GetCommandOutput>>;
  put(input: PutCommandInput): Promise<Bare<PutCommandOutput>>;
  update(input: UpdateCommandInput): Promise<Bare<UpdateCommandOutput>>;
  delete(input: DeleteCommandInput): Promise<Bare<DeleteCommandOutput>>;
  query(input: QueryCommandInput): Promise<Bare<QueryCommandOutput>>;
  scan(input: ScanCommandInput): Promise<Bare<ScanCommandOutput>>;
  batchGet(input: BatchGetCommandInput): Promise<Bare<BatchGetCommandOutput>>;
  batchWrite(input: BatchWriteCommandInput): Promise<Bare<BatchWriteCommandOutput>>;
  transactWrite(input: TransactWriteCommandInput): Promise<Bare<TransactWriteCommandOutput>>;
}

/** One element of `TransactItems`; also what a transactional consumer's `react` returns. */
export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
