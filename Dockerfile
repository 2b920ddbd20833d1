FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src src
COPY adapters adapters
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
# Inside a container only its own network can reach it.
ENV GATEWAY_LISTEN_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
ENV GATEWAY_DATA_DIR=/data
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GATEWAY_LISTEN_PORT ?? 5000}/gateway/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Streamed buffers die young; with a larger nursery they would outlive it and be found by full collections only.
ENTRYPOINT ["node", "--max-semi-space-size=8", "dist/src/main.js"]
