/**
 * The one table of metrics: name, kind, who has it, labels, and what it tells. docs/metrics.md is kept equal to it by
 * metrics.test.ts, and what dashboard and alerts name must stand here. No label holds an id: each has few values, known
 * beforehand. Process metrics (CPU, memory, event loop, garbage collection) are prom-client's own and carry its names.
 */

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricFacts {
  readonly kind: MetricKind;
  readonly of: 'api' | 'worker' | 'both';
  readonly labels: readonly string[];
  readonly help: string;
}

export const metrics = {
  // calls
  dormouse_calls_total: {
    ...{ kind: 'counter', of: 'api', labels: ['start', 'outcome'] },
    help: 'Calls of actors that ended. start: hot, warm, cold, or none when no actor was reached. outcome: answered, abandoned, or an error code',
  },
  dormouse_call_seconds: {
    ...{ kind: 'histogram', of: 'api', labels: ['start'] },
    help: 'From the arrival of a call to the first byte of the answer of the actor',
  },
  dormouse_calls_under_way: {
    ...{ kind: 'gauge', of: 'api', labels: [] },
    help: 'Calls of actors that have not ended',
  },
  dormouse_calls_parked: { ...{ kind: 'gauge', of: 'api', labels: [] }, help: 'Calls that wait for room on a node' },
  dormouse_api_request_seconds: {
    ...{ kind: 'histogram', of: 'api', labels: ['method', 'route', 'status'] },
    help: 'Requests to the routes of the API, by pattern; calls of actors are not among them',
  },
  dormouse_event_readers: { ...{ kind: 'gauge', of: 'api', labels: [] }, help: 'Open streams of events' },
  dormouse_webhook_messages_total: {
    ...{ kind: 'counter', of: 'api', labels: ['outcome'] },
    help: 'Messages to webhooks. outcome: delivered, or given-up: then its webhook is disabled',
  },
  // nodes, as the registry sees them
  dormouse_nodes_live: { ...{ kind: 'gauge', of: 'api', labels: [] }, help: 'Nodes that hold their lease' },
  dormouse_nodes_without_lease: {
    ...{ kind: 'gauge', of: 'api', labels: [] },
    help: 'Nodes that were announced and hold no lease: stopped in order, frozen, or dead',
  },
  // reaper
  dormouse_reaper_actions_total: {
    ...{ kind: 'counter', of: 'api', labels: ['action'] },
    help: 'action: actor-fell-back, delete-again, job-handed-on, operation-ended, template-failed',
  },
  // jobs
  dormouse_wakes_total: {
    ...{ kind: 'counter', of: 'worker', labels: ['start', 'outcome'] },
    help: 'Resume jobs that ended. start: cold, warm, or none when it failed. outcome: done, or an error code',
  },
  dormouse_jobs_total: {
    ...{ kind: 'counter', of: 'worker', labels: ['job', 'outcome'] },
    help: 'Jobs that ended. job: resume, suspend, pause, delete, prepare-template. outcome: done, or an error code',
  },
  dormouse_job_seconds: {
    ...{ kind: 'histogram', of: 'worker', labels: ['job'] },
    help: 'From the decision of the api to the end of a job that was done',
  },
  dormouse_phase_seconds: {
    ...{ kind: 'histogram', of: 'worker', labels: ['job', 'phase'] },
    help: 'Phases of the jobs that were done. They may overlap',
  },
  dormouse_queue_jobs: {
    ...{ kind: 'gauge', of: 'worker', labels: [] },
    help: 'Jobs on the queue of the node that nobody has begun',
  },
  // store
  dormouse_store_request_seconds: {
    ...{ kind: 'histogram', of: 'both', labels: ['operation', 'outcome'] },
    help: 'Requests to the object store. operation: put, create, get, get-file, get-range, head, delete. outcome: done, exists, or an error code',
  },
  dormouse_store_sent_bytes_total: {
    ...{ kind: 'counter', of: 'both', labels: [] },
    help: 'Bytes of objects written to the store: of a worker, nearly all of it snapshots',
  },
  dormouse_store_received_bytes_total: {
    ...{ kind: 'counter', of: 'both', labels: [] },
    help: 'Bytes of objects read from the store',
  },
  // node
  dormouse_node_slots: { ...{ kind: 'gauge', of: 'worker', labels: [] }, help: 'Actors the node may run at once' },
  dormouse_node_slots_used: { ...{ kind: 'gauge', of: 'worker', labels: [] }, help: 'Actors the node runs' },
  dormouse_node_memory_bytes: {
    ...{ kind: 'gauge', of: 'worker', labels: [] },
    help: 'Guest memory the node gives out',
  },
  dormouse_node_memory_used_bytes: {
    ...{ kind: 'gauge', of: 'worker', labels: [] },
    help: 'Guest memory of the actors the node runs, as their templates ask for it',
  },
  dormouse_node_captures: { ...{ kind: 'gauge', of: 'worker', labels: [] }, help: 'Paused actors the node keeps' },
  dormouse_pool_ready: { ...{ kind: 'gauge', of: 'worker', labels: [] }, help: 'Sandboxes that wait for a wake' },
  dormouse_pool_takes_total: {
    ...{ kind: 'counter', of: 'worker', labels: ['outcome'] },
    help: 'Wakes that asked the pool; outcome: hit (one was waiting), miss',
  },
  dormouse_node_serves: {
    ...{ kind: 'gauge', of: 'worker', labels: [] },
    help: '1 while the node serves; 0 while it starts, is frozen without a lease, or stops',
  },
  dormouse_lease_turns_total: {
    ...{ kind: 'counter', of: 'worker', labels: ['turn'] },
    help: 'turn: lapsed (every VM freezes), regained (they go on), lost (everything ends, and with it soon this count)',
  },
} as const satisfies Record<string, MetricFacts>;

export type MetricName = keyof typeof metrics;

export type NameOf<Kind extends MetricKind> = {
  [Name in MetricName]: (typeof metrics)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metrics)[Name]['labels'][number], string>>;
