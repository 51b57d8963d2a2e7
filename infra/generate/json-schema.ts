/** What is read of the JSON schemas in the api's description; other keywords are left out of what is generated. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly description?: string;
}

/** The name behind a reference; what is taken and what is answered go by one name. */
export const nameIn = ($ref: string): string => $ref.slice($ref.lastIndexOf('/') + 1).replace(/Input$/, '');
