-- KEYS: a meter. ARGV: now; how long a meter is kept after it is full; how far to move it, back where negative. All in
-- microseconds.
local now = tonumber(ARGV[1])
local state = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
state = math.max(state + tonumber(ARGV[3]), now)
local lasts = math.ceil((state - now + tonumber(ARGV[2])) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', state), 'PX', string.format('%.0f', lasts))
return 1
