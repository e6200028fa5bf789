// Reads Jenkinsfiles with Groovy's own parser and prints their blocks as JSON. Nothing in them is executed.
// Only what a declarative pipeline is made of gets through: `word arguments { block }` and `NAME = value`.
import groovy.json.JsonOutput
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.control.CompilationFailedException
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.Phases

class Refused extends RuntimeException {
    Refused(node, String text) { super("line ${node.lineNumber}: ${text}") }
}

List block(statements) { statements.collect { statement(it) } }

Map statement(node) {
    def expression = node instanceof ExpressionStatement ? node.expression : null
    if (expression instanceof MethodCallExpression) return call(expression)
    if (isAssignment(expression)) {
        return [line: node.lineNumber, name: expression.leftExpression.name, value: value(expression.rightExpression)]
    }
    throw new Refused(node, "this is no declarative statement but a piece of Groovy: ${node.text}")
}

boolean isAssignment(node) {
    node instanceof BinaryExpression && !(node instanceof DeclarationExpression) &&
        node.operation.text == '=' && node.leftExpression instanceof VariableExpression
}

Map call(MethodCallExpression node) {
    if (!node.implicitThis) throw new Refused(node, "a method of an object is called: ${node.text}")
    def given = node.arguments.expressions
    def last = given ? given.last() : null
    def inner = last instanceof ClosureExpression ? block(last.code.statements) : null
    [line: node.lineNumber, word: node.methodAsString, arguments: (inner == null ? given : given.init()).collect { value(it) }, block: inner]
}

Object value(node) {
    switch (node) {
        case ConstantExpression: return node.value
        case VariableExpression: return [variable: node.name]
        case ListExpression: return node.expressions.collect { value(it) }
        case MapExpression: return node.mapEntryExpressions.collectEntries { [value(it.keyExpression), value(it.valueExpression)] }
        case TupleExpression: return value(node.expressions.first())
        case MethodCallExpression: return call(node)
        default: throw new Refused(node, "this is computed in Groovy, not written down: ${node.text}")
    }
}

List blocksOf(File file) {
    def unit = new CompilationUnit()
    unit.addSource(file)
    unit.compile(Phases.CONVERSION)
    def module = unit.AST.modules.first()
    def beside = module.imports + module.starImports + module.methods + module.classes.findAll { !it.script }
    if (beside) throw new Refused(beside.first(), 'the file holds more than a pipeline')
    block(module.statementBlock.statements)
}

Map outcome(File file) {
    try {
        return [blocks: blocksOf(file)]
    } catch (Refused | CompilationFailedException reason) {
        return [refused: reason.message]
    }
}

println JsonOutput.toJson(args.collect { outcome(new File(it)) })
