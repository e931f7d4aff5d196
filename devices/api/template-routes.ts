import type { FastifyInstance } from 'fastify';
import { addRoute } from '../../backbone/route.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { Registry } from '../registry/registry.ts';
import { authorOf } from './asked.ts';
import * as s from './schemas.ts';

/** Models of devices. A change reaches the devices when it is applied, not before: then each gets a new version. */
export function templateRoutes(app: FastifyInstance, registry: Registry): void {
  addRoute(
    app,
    { method: 'GET', url: '/api/templates', summary: 'All templates', answer: s.TemplatesAnswer },
    () => ({ items: registry.templateInfos() }),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/templates/:name',
      summary: 'One template',
      params: s.TemplateParams,
      answer: s.TemplateAnswer,
    },
    ({ params: { name } }) => {
      const info = registry.templateInfos().find((template) => template.name === name);
      if (info === undefined) throw new QianliyanError('NOT_FOUND', `no template ${name}`);
      return info;
    },
  );
  addRoute(
    app,
    {
      method: 'PUT',
      url: '/api/templates/:name',
      summary: 'Writes a template of your own, or a new version of it; devices change only by apply',
      params: s.TemplateParams,
      body: s.TemplateBody,
      answer: s.TemplateAnswer,
    },
    async ({ params: { name }, body, request }) => {
      const { changed: _changed, ...info } = await registry.putTemplate(name, body, authorOf(request));
      return info;
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/templates/:name/apply',
      summary:
        'New versions for the devices that follow this template; what was set at a device itself stays',
      params: s.TemplateParams,
      answer: s.ImportAnswer,
    },
    ({ params: { name }, request }) => registry.applyTemplate(name, authorOf(request)),
  );
}
