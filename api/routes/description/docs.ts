/** GET /docs: a reference page that draws /openapi.json. One file, nothing from any other host. */
import { createHash } from 'node:crypto';
import type { ApiApp } from '../../app.ts';

const style = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1,h2{line-height:1.2}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{background:#f4f4f2;padding:.75rem;overflow:auto;max-height:24rem}
details{border:1px solid #ddd;border-radius:6px;margin:.5rem 0;padding:.5rem .75rem}
summary{cursor:pointer}.method{display:inline-block;min-width:4.5rem;font-weight:700}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#262626}details{border-color:#444}a{color:#8bf}}`;

const script = `
const make=(name,text,...children)=>{const e=document.createElement(name);if(text)e.textContent=text;e.append(...children);return e};
const json=(title,value)=>[make('h4',title),make('pre',JSON.stringify(value,null,2))];
fetch('openapi.json').then(r=>r.json()).then(api=>{
  const main=document.querySelector('main');main.replaceChildren();
  for(const line of (api.info.description||'').split('\\n\\n'))main.append(make('p',line));
  const groups={};
  for(const [path,operations] of Object.entries(api.paths))for(const [method,operation] of Object.entries(operations))
    (groups[(operation.tags||['other'])[0]]??=[]).push({path,method,operation});
  for(const [tag,operations] of Object.entries(groups)){
    main.append(make('h2',tag));
    for(const {path,method,operation} of operations){
      const name=make('span',method.toUpperCase());name.className='method';
      const box=make('details','',make('summary','',name,make('code',path),' ',operation.summary||''));
      if(operation.parameters)box.append(...json('Parameters',operation.parameters));
      const body=operation.requestBody?.content?.['application/json']?.schema;if(body)box.append(...json('Body',body));
      box.append(...json('Answers',operation.responses));main.append(box);
    }
  }
  main.append(make('h2','Schemas'));
  for(const [name,schema] of Object.entries(api.components?.schemas||{}))
    main.append(make('details','',make('summary',name),make('pre',JSON.stringify(schema,null,2))));
}).catch(e=>{document.querySelector('main').textContent='The description could not be read: '+e});`;

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dormouse API</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>${style}</style></head>
<body><h1>Dormouse API</h1><p><a href="openapi.json">openapi.json</a></p><main>Loading …</main><script>${script}</script></body></html>`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = `default-src 'none'; connect-src 'self'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; frame-ancestors 'none'`;

export function docsRoute(app: ApiApp): void {
  app.get('/docs', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', policy).send(page),
  );
}
