import type { IncomingMessage, ServerResponse } from 'node:http';
import { createExperimentSearch, createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { createAnswerForAll } from '../federation/answer-for-all.ts';
import { Backends } from '../federation/backends.ts';
import { createForward } from '../federation/forward.ts';
import { createOwnPages } from '../federation/own-pages.ts';
import { createRouter } from '../federation/router.ts';
import { BodyMemory } from '../http/body-memory.ts';
import { createCompress } from '../http/compress.ts';
import { sendError } from '../http/error-response.ts';
import { createPrepareForwarding } from '../http/forwarding.ts';
import { createHostCheck } from '../http/host-check.ts';
import { createNativeHeaders } from '../http/native-headers.ts';
import { createTrustedProxies } from '../http/trusted-proxies.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Gateway } from './gateway.ts';
import { openAdmission } from './open-admission.ts';
import { openLanes } from './open-lanes.ts';
import { ownAuthorization } from './own-authorization.ts';
import type { Worker } from './worker.ts';

/** A gateway in front of several backends: one for each, and what tells whose a request is. Opens connections, no port. */
export async function createFederatedGateway(
  config: UpstreamConfig,
  secrets: Secrets,
  logger: Logger,
  worker?: Worker,
): Promise<Gateway> {
  const { listen, auth, federation } = config;
  const backends = new Backends(
    Object.entries(config.backends).map(([id, { namePrefix }]) => ({ id, namePrefix: namePrefix ?? `${id}/` })),
  );
  const actsForCallers = auth.mode !== 'passthrough' && ownAuthorization(config, secrets) !== undefined;
  const admission = await openAdmission(config, logger, actsForCallers);
  const lanes = await openLanes({ config, secrets, logger, worker, backends });
  const gateways = [...lanes.values()].map(({ gateway }) => gateway);
  const compress = createCompress(listen.compressFromBytes);
  const route = createRouter({
    backends,
    lanes,
    registry: federation.registry,
    isAllowedHost: createHostCheck(listen.allowedHosts),
    admit: admission.admit,
    memory: new BodyMemory(listen.bodyMemoryBytes),
    forward: createForward({
      prepareForwarding: createPrepareForwarding(createTrustedProxies(listen.trustedProxies)),
      compress,
    }),
    ownPages: createOwnPages(lanes),
    answerForAll: createAnswerForAll({
      ...federation,
      budget: config.search.budget,
      backends,
      lanes,
      openRuns: createMlflowAdapter,
      openExperiments: createExperimentSearch,
      headersFor: createNativeHeaders(listen),
      compress,
    }),
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await route(req, res);
    } catch (thrown) {
      const error = sendError(res, thrown);
      if (error.code === 'INTERNAL_ERROR') logger.error({ err: error, method: req.method }, 'request failed');
    }
  }

  return {
    app: (req, res) => void answer(req, res),
    parts: partsOf(gateways),
    start: async () => void (await Promise.all(gateways.map((gateway) => gateway.start()))),
    drain() {
      for (const gateway of gateways) gateway.drain();
    },
    async close() {
      admission.close();
      for (const lane of lanes.values()) await lane.close();
    },
  };
}

function partsOf(gateways: readonly Gateway[]): Gateway['parts'] {
  const all = (part: keyof Gateway['parts']) => [...new Set(gateways.map(({ parts }) => parts[part]))].join(', ');
  return { backend: all('backend'), index: all('index'), cache: all('cache') };
}
