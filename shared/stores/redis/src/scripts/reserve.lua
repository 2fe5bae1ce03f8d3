-- KEYS: a budget's numbers (what is spent, what is held, and the amount of each call, o<id>); when each call ends, settled
-- or not. ARGV: now; the call; the amount; its end; the budget's limit; for how long the budget is kept.
-- A call that has run out is no longer among the ends, and holds nothing: its amount stays, so that it can be settled.
local function holds(id) return redis.call('HGET', KEYS[1], 'o' .. id) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])) do
  redis.call('HINCRBY', KEYS[1], 'held', string.format('%.0f', 0 - tonumber(holds(id) or '0')))
  redis.call('ZREM', KEYS[2], id)
end
if holds(ARGV[2]) or redis.call('ZSCORE', KEYS[2], ARGV[2]) then return { 1, '0' } end
local spent = tonumber(redis.call('HGET', KEYS[1], 'spent') or '0')
local held = tonumber(redis.call('HGET', KEYS[1], 'held') or '0')
local left = math.max(tonumber(ARGV[5]) - spent - held, 0)
if tonumber(ARGV[3]) > left then return { 0, string.format('%.0f', left) } end
redis.call('HINCRBY', KEYS[1], 'held', ARGV[3])
redis.call('HSET', KEYS[1], 'o' .. ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return { 1, '0' }
